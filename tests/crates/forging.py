"""Crates changed by somebody who means no good, or by a bad disk."""

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cm4bench.tools import lockfile


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def copied(crate: Path, folder: Path) -> Path:
    return Path(shutil.copytree(crate, folder))


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def forge_lock(crate: Path, change: Callable[[Any], None]) -> None:
    """Change the lock and put all checksums right again."""
    path = crate / "lock.json"
    body = json.loads(path.read_text())
    change(body)
    body["sha256"] = lockfile._checksum(body)
    path.write_text(json.dumps(body))
    relist(crate, "lock.json")


def relist(crate: Path, name: str) -> None:
    """Write the file's present checksum into the metadata."""

    def change(metadata: Any) -> None:
        (entity,) = (one for one in metadata["@graph"] if one["@id"] == name)
        entity["sha256"] = hashlib.sha256((crate / name).read_bytes()).hexdigest()

    edit_json(crate / "ro-crate-metadata.json", change)


def tar_with(target: Path, member: tarfile.TarInfo, content: bytes = b"evil") -> Path:
    with tarfile.open(target, "w:gz") as archive:
        member.size = len(content) if member.isreg() else 0
        archive.addfile(member, io.BytesIO(content))
    return target


def zip_with(target: Path, name: str, content: bytes = b"evil") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target
