"""Small private files of plain data that may be lost at any time: written atomically, read or ignored."""

from __future__ import annotations

import contextlib
import marshal
import os
from pathlib import Path
from typing import Any

__all__ = ["read_blob", "write_blob"]


def read_blob(path: Path, version: int) -> Any:
    """The stored data, or None when absent, unreadable or written by another version."""
    try:
        stamp, data = marshal.loads(path.read_bytes())
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return data if stamp == version else None


def write_blob(path: Path, version: int, data: Any) -> None:
    """Replace the file in one step. A full disk or a read-only folder only costs the next process its head start."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(marshal.dumps((version, data)))
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
