"""sha256 of files, streamed."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20


def sha256(path: Path) -> str:
    """Hex digest of a file's contents; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file its own digest, of a folder that of its sorted names and digests; raises OSError."""
    if path.is_file():
        return sha256(path)
    digest = hashlib.sha256()
    for one in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{one.relative_to(path).as_posix()} {sha256(one)}\n".encode())
    return digest.hexdigest()
