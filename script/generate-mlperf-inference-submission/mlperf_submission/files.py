"""Writing files so that a reader sees all of one or nothing of it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            found.update(block)
    return found.hexdigest()


def write(target: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``target`` in one step; on any failure the old file stays.

    Raises:
        OSError: where it cannot be written.
    """
    handle, scrap = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(scrap).chmod(0o644)
        Path(scrap).replace(target)
    except BaseException:
        Path(scrap).unlink(missing_ok=True)
        raise
