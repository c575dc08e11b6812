"""Files into values. A file that cannot be read is an `Unreadable` with the reason in words, never an exception."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mlperf_checker.folders import Folder

# Anything larger is reported as too large and not opened: a checker must not fill the memory.
MAX_READ_BYTES = 256 * 1024 * 1024
MAX_TEXT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Unreadable:
    """Why a file has no content: `missing`, or what is wrong with it."""

    why: str
    missing: bool = False


@dataclass(frozen=True)
class Files:
    """The files of a submission.

    Attributes:
        root: where it lies.
        tree: what is there.
    """

    root: Path
    tree: Folder

    def read(self, path: PurePosixPath | str, limit: int = MAX_READ_BYTES) -> bytes | Unreadable:
        """A file's bytes."""
        size = self.tree.size(path)
        if size is None:
            return self._absent(PurePosixPath(path))
        if size > limit:
            return Unreadable(f"it has {size:,} bytes, too many to be read")
        try:
            return (self.root / path).read_bytes()
        except (OSError, ValueError) as error:
            return Unreadable(f"it cannot be read ({getattr(error, 'strerror', None) or error})")

    def text(self, path: PurePosixPath | str) -> str | Unreadable:
        """A text file; bytes that are no UTF-8 make it unreadable."""
        content = self.read(path, MAX_TEXT_BYTES)
        if isinstance(content, Unreadable):
            return content
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            return Unreadable(f"it is no text (byte {error.start} is not UTF-8)")

    def object(self, path: PurePosixPath | str) -> dict[str, Any] | Unreadable:
        """A JSON file that holds an object."""
        text = self.text(path)
        if isinstance(text, Unreadable):
            return text
        if not text.strip():
            return Unreadable("it is empty")
        try:
            value = json.loads(text)
        except RecursionError:
            return Unreadable("it is nested too deeply")
        except json.JSONDecodeError as error:
            return Unreadable(f"it is not JSON (line {error.lineno}: {error.msg})")
        except ValueError as error:
            return Unreadable(f"it is not JSON ({error})")
        return value if isinstance(value, dict) else Unreadable('it is JSON, but not an object "{…}"')

    def _absent(self, path: PurePosixPath) -> Unreadable:
        folder = self.tree.at(path.parent)
        if folder is None:
            return Unreadable("its folder is missing", missing=True)
        if path.name in folder.folders:
            return Unreadable("it is a folder, not a file")
        trouble = folder.troubles.get(path.name)
        return Unreadable(f"it cannot be read ({trouble})") if trouble else Unreadable("it is missing", missing=True)
