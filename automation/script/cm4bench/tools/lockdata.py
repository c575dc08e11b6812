"""What a lock remembers of files, folders and installed packages: their content, without the machine in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..outputs import sha256_of
from ..variations import layers
from .lockfile import DataMark, Package
from .roots import Roots

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from ..manifest import Script

__all__ = ["file_hashes", "installed_package", "mark_path", "package_of", "tool_versions"]

_TEXT_BYTES = 1 << 20
_FOLDER_BYTES = 512 << 20
_IGNORED = {"__pycache__", ".git"}
_VERSION_LIKE = re.compile(r"v?\d[\w.+~-]{0,63}|[a-z][\w.-]{0,31}-\d[\w.+~-]{0,31}")


def mark_path(key: str, path: Path, roots: Roots) -> DataMark | None:
    """Content of a file or folder; None where there is nothing (or nothing readable) any more.

    Folders are hashed with their contents up to 512 MiB, beyond that by the names and sizes of their files.
    """
    try:
        if path.is_dir():
            return _mark_folder(key, path, roots)
        return _mark_file(key, path, roots) if path.is_file() else None
    except OSError:
        return None


def _mark_file(key: str, path: Path, roots: Roots) -> DataMark:
    size, digest = path.stat().st_size, sha256_of(path)
    portable = _portable_digest(path, size, roots)
    place = roots.portable(str(path))
    return DataMark(key, place, "file", size, digest, portable if portable != digest else "")


def _portable_digest(path: Path, size: int, roots: Roots) -> str:
    """Digest of a text with this machine's folders by name; that of a binary file is no different."""
    if size > _TEXT_BYTES:
        return ""
    content = path.read_bytes()
    try:
        content = roots.portable(content.decode("utf-8")).encode()
    except UnicodeDecodeError:
        return ""
    return hashlib.sha256(content).hexdigest()


def _mark_folder(key: str, path: Path, roots: Roots) -> DataMark:
    files = sorted(_files(path))
    by_content = sum(size for _, size in files) <= _FOLDER_BYTES
    exact, portable = hashlib.sha256(), hashlib.sha256()
    for name, size in files:
        digest = moved = str(size)
        if by_content:
            digest = sha256_of(path / name)
            moved = _portable_digest(path / name, size, roots) or digest
        exact.update(f"{name}\0{digest}\n".encode())
        portable.update(f"{name}\0{moved}\n".encode())
    other = portable.hexdigest() if portable.digest() != exact.digest() else ""
    by = "content" if by_content else "names and sizes"
    return DataMark(key, roots.portable(str(path)), "dir", len(files), exact.hexdigest(), other, by)


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _IGNORED]
        for name in names:
            path = Path(place) / name
            if not name.endswith(".pyc") and path.is_file():
                yield str(path.relative_to(folder)), path.stat().st_size


def file_hashes(folder: Path, names: list[str]) -> dict[str, str]:
    """sha256 of a script's files by name, the first 16 digits: they are there to name what changed."""
    return {name: sha256_of(folder / name)[:16] for name in names}


def tool_versions(new_env: Mapping[str, Any]) -> dict[str, str]:
    """What a step told about versions, by environment key."""
    return {
        key: value
        for key, value in sorted(new_env.items())
        if key.endswith("_VERSION") and isinstance(value, str) and _VERSION_LIKE.fullmatch(value)
    }


def package_of(script: Script, variations: Mapping[str, str], new_env: Mapping[str, Any]) -> Package | None:
    """The Python package that a step stands for, as it is installed where the step says; None if it stands for none."""
    name = _package_name(script, tuple(variations))
    folder = new_env.get("CM_PYTHONLIB_PATH")
    return installed_package(name, folder) if name and isinstance(folder, str) else None


def installed_package(name: str, folder: str) -> Package | None:
    """A package as it is in a site-packages folder now; None where it is not."""
    import importlib.metadata

    found = next(iter(importlib.metadata.distributions(name=name, path=[folder])), None)
    return Package(str(found.name), found.version, _record_digest(found), folder) if found else None


def _package_name(script: Script, names: tuple[str, ...]) -> str:
    key = "CM_GENERIC_PYTHON_PACKAGE_NAME"
    found = [str((block.get("env") or {}).get(key, "")) for _, block in layers(script, names)]
    return next((name.partition("[")[0] for name in reversed(found) if name), "")


def _record_digest(found: Distribution) -> str:
    """Digest of the package's list of files, and of the sizes they have now: an edited file shows."""
    digest = hashlib.sha256()
    for line in sorted((found.read_text("RECORD") or "").splitlines()):
        name, _, rest = line.partition(",")
        if rest.startswith("sha256=") and not name.startswith("..") and not _is_local(name):
            digest.update(f"{line} {_size_now(found, name)}\n".encode())
    return digest.hexdigest()


def _is_local(name: str) -> bool:
    """Files that pip writes at installation."""
    return name.endswith((".pyc", "/INSTALLER", "/REQUESTED", "/direct_url.json"))


def _size_now(found: Distribution, name: str) -> int:
    try:
        return Path(str(found.locate_file(name))).stat().st_size
    except OSError:
        return -1
