"""Laying a capsule out in a home folder."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .index import CapsuleError, folder_name, object_path

_MEMBER_OF_TAR = re.compile(
    r"(?:\./)?(capsule\.json|run|launcher/(?:standalone/)?\w+\.py|objects/[0-9a-f]{2}/[0-9a-f]{64})"
)
_COPIED = ("repos/",)


def lay_out(capsule: Path, index: Mapping[str, Any], home: Path) -> None:
    """Put repositories, wheels and given data in place; done once per capsule and home.

    Raises:
        CapsuleError: the folder cannot be written, or holds another capsule.
    """
    stamp = home / "laid-out"
    try:
        if stamp.is_file():
            if stamp.read_text() != index["sha256"]:
                raise CapsuleError(f"{home} belongs to another capsule", "--home=FOLDER names a new folder")
            return
        home.mkdir(parents=True, exist_ok=True)
        for member in index["members"]:
            if not member["path"].startswith("entries/"):
                _place(object_path(capsule, member["sha256"]), home / member["path"], member)
        stamp.write_text(index["sha256"])
    except OSError as error:
        raise CapsuleError(
            f"{error.filename or home} cannot be written: {error.strerror}", "--home=FOLDER, one with room"
        ) from None


def _place(source: Path, target: Path, member: Mapping[str, Any]) -> None:
    """Link what is only read; copy what has a mode of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if not member["path"].startswith(_COPIED):
        try:
            os.link(source, target)
            return
        except OSError:
            pass  # another device, or no hard links there
    shutil.copyfile(source, target)
    target.chmod(0o755 if member.get("executable") else 0o644)


def localized(data: Any, home: Path) -> Any:
    """The request with the folders of this machine in place of their names."""
    if isinstance(data, dict):
        return {key: localized(value, home) for key, value in data.items()}
    if isinstance(data, list):
        return [localized(value, home) for value in data]
    if not isinstance(data, str):
        return data
    names = {"{home}": home / "CM", "{given}": home / "given", "{python}": home / "venv", "{cwd}": Path.cwd()}
    for name, folder in {**names, "{user}": Path.home()}.items():
        data = data.replace(name, str(folder))
    return re.sub(r"\{repo:([^}]+)\}", lambda found: str(home / "repos" / folder_name(found[1])), data)


def open_tar(file: Path, home: Path) -> Path:
    """Unpack a capsule that is one file. Only names that a capsule has are taken out, whatever else is inside."""
    target = home / "capsule"
    try:
        with tarfile.open(file) as archive:
            for name, member in _members(archive):
                place = target / name
                content = archive.extractfile(member)
                if content is None or (place.is_file() and place.stat().st_size == member.size and "objects" in name):
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as output:
                    shutil.copyfileobj(content, output)
    except (tarfile.TarError, EOFError):
        raise CapsuleError(f"{file} is no whole tar file", "copy the capsule again") from None
    except OSError as error:
        raise CapsuleError(f"{error.filename or target} cannot be written: {error.strerror}", "--home=FOLDER") from None
    return target


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
    for member in archive:
        found = _MEMBER_OF_TAR.fullmatch(member.name)
        if found and member.isreg():
            yield found[1], member
