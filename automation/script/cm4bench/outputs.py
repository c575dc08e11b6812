"""The files and values a step promises: checked after it ran, fingerprinted when cached, re-checked at every reuse."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH112, PTH113, PTH116, PTH208
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import OutputMissing
from .manifest import Output
from .values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Fingerprint", "check_outputs", "fingerprint_outputs", "first_damage", "verify_content"]

_HASHED_BYTES = 256 << 20


class Fingerprint(NamedTuple):
    """A promised path as it was: `size` in bytes (file) or entries (dir); `sha256` only for files up to 256 MiB."""

    key: str
    path: str
    kind: str
    size: int
    mtime_ns: int = 0
    sha256: str = ""


def check_outputs(outputs: Sequence[Output], env: Mapping[str, Any], label: str) -> None:
    """Does the environment hold what was promised?

    Raises:
        OutputMissing: a key is unset, a path does not exist, or a value is not of its type.
    """
    for output in outputs:
        value = env.get(output.key)
        if value is None or value == "":
            if not output.optional:
                what = output.help or output.type
                raise OutputMissing(f"{label} ended without error but did not set {output.key} ({what})")
            continue
        problem = _problem(output.type, value)
        if problem:
            raise OutputMissing(f"{label} set {output.key} to {str(value)!r}, {problem}")


def _problem(kind: str, value: Any) -> str:
    if kind == "file":
        return "" if os.path.isfile(str(value)) else "which is not a file"
    if kind == "dir":
        return "" if os.path.isdir(str(value)) else "which is not a folder"
    if kind in ("int", "float"):
        try:
            (int if kind == "int" else float)(str(value))
        except ValueError:
            return "which is not a number"
    return ""


def fingerprint_outputs(outputs: Sequence[Output], env: Mapping[str, Any], folder: Path) -> tuple[Fingerprint, ...]:
    """Fingerprint promised paths, and any other value that names something inside the entry's own folder."""
    from pathlib import Path

    promised = {o.key for o in outputs if o.type in ("file", "dir")}
    found = []
    for key, value in env.items():
        if isinstance(value, str) and (key in promised or value.startswith(f"{folder}/")):
            mark = _fingerprint(key, Path(value))
            if mark:
                found.append(mark)
    return tuple(found)


def _fingerprint(key: str, path: Path) -> Fingerprint | None:
    if path.is_dir():
        return Fingerprint(key, str(path), "dir", sum(1 for _ in path.iterdir()))
    if not path.is_file():
        return None
    info = path.stat()
    digest = sha256_of(path) if info.st_size <= _HASHED_BYTES else ""
    return Fingerprint(key, str(path), "file", info.st_size, info.st_mtime_ns, digest)


def first_damage(marks: Sequence[Fingerprint]) -> str:
    """Quick check by existence, size and time; empty when all is as it was."""
    for mark in marks:
        if mark.kind == "dir":
            if not os.path.isdir(mark.path):
                return f"{mark.key} is gone: {mark.path}"
            if mark.size and not os.listdir(mark.path):
                return f"{mark.key} is empty now: {mark.path}"
            continue
        try:
            info = os.stat(mark.path)
        except OSError:
            return f"{mark.key} is gone: {mark.path}"
        if (info.st_size, info.st_mtime_ns) != (mark.size, mark.mtime_ns) and (
            info.st_size != mark.size or not mark.sha256 or sha256_of(mark.path) != mark.sha256
        ):
            return f"{mark.key} was changed since: {mark.path}"
    return ""


def verify_content(marks: Sequence[Fingerprint]) -> str:
    """Thorough check: contents of every hashed file. Empty when all is as it was."""
    for mark in marks:
        if mark.sha256 and (not os.path.isfile(mark.path) or sha256_of(mark.path) != mark.sha256):
            return f"{mark.key} does not have the content it had: {mark.path}"
    return first_damage(marks)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Hex digest of a file, read in pieces."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
