"""Small private files of plain data that may be lost at any time: written atomically, read or ignored."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH103, PTH105, PTH108
from __future__ import annotations

import contextlib
import marshal
import os
from typing import Any

__all__ = ["read_blob", "write_blob"]


def read_blob(path: str | os.PathLike[str], version: int) -> Any:
    """The stored data, or None when absent, unreadable or written by another version."""
    try:
        with open(path, "rb") as file:
            stamp, data = marshal.loads(file.read())
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return data if stamp == version else None


def write_blob(path: str | os.PathLike[str], version: int, data: Any) -> None:
    """Replace the file in one step. A full disk or a read-only folder only costs the next process its head start."""
    folder, name = os.path.split(path)
    temporary = f"{folder}/{name}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(marshal.dumps((version, data)))
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
