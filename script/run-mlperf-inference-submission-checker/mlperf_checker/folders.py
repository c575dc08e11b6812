"""A submission's files as they are on disk, seen once: names, sizes and what is odd about them. Nothing is opened.

A link is followed only to a place inside the submission that does not hold the link itself; anything else is noted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

Trouble = Literal["link-broken", "link-loop", "link-outside", "not-a-file", "unreadable", "too-deep"]

# Deeper than any submission; keeps the walk out of hostile trees.
MAX_DEPTH = 60


@dataclass
class Folder:
    """A folder below the root.

    Attributes:
        path: relative to the root, empty for the root.
        folders, files: by name; a file's value is its size in bytes.
        troubles: by name, what keeps an entry from being one of these.
        own_trouble: what keeps the folder itself from being read.
    """

    path: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    own_trouble: Trouble | None = None

    def at(self, path: PurePosixPath | str) -> Folder | None:
        """The folder at a relative path, None where there is none."""
        found: Folder | None = self
        for part in _pure(path).parts:
            found = found.folders.get(part) if found else None
        return found

    def has_file(self, path: PurePosixPath | str) -> bool:
        """Whether there is a regular file at a relative path."""
        return self.size(path) is not None

    def size(self, path: PurePosixPath | str) -> int | None:
        """Size of a file at a relative path in bytes, None where there is none."""
        where = _pure(path)
        folder = self.at(where.parent)
        return folder.files.get(where.name) if folder else None

    def below(self) -> Iterator[Folder]:
        """This folder and all in it, in the order of their names."""
        stack = [self]
        while stack:
            one = stack.pop()
            yield one
            stack.extend(one.folders[name] for name in sorted(one.folders, reverse=True))

    @property
    def is_empty(self) -> bool:
        return not (self.folders or self.files or self.troubles or self.own_trouble)

    def name_of(self, name: str) -> str:
        """Relative path of an entry."""
        return f"{self.path}/{name}" if self.path else name


# A folder that shall be walked, where it is, and the real paths of itself and those above.
_Pending = tuple[Folder, str, tuple[str, ...]]


def _pure(path: PurePosixPath | str) -> PurePosixPath:
    return PurePosixPath(path) if isinstance(path, str) else path


def look(root: Path, only: tuple[tuple[str, ...], str] | None = None) -> Folder:
    """Walk a submission. Never raises for what is in it.

    Args:
        root: where it lies.
        only: folders at the top of which one entry shall be seen alone, and that entry's name.
    """
    parents, wanted = only or ((), "")
    top = Folder("")
    real_root = os.path.realpath(root)
    pending: list[_Pending] = [(top, str(root), (real_root,))]
    while pending:
        folder, where, ancestors = pending.pop()
        try:
            with os.scandir(where) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            folder.own_trouble = "unreadable"
            continue
        for entry in found:
            if folder.path in parents and entry.is_dir() and entry.name != wanted:
                continue
            below = _see(folder, entry, real_root, ancestors)
            if below is not None:
                pending.append(below)
    return top


def _see(folder: Folder, entry: os.DirEntry[str], root: str, ancestors: tuple[str, ...]) -> _Pending | None:
    """Note an entry; a folder that shall be walked is returned."""
    try:
        linked = entry.is_symlink()
        target = os.path.realpath(entry.path) if linked else ""
        trouble = _link_trouble(entry, target, root, ancestors) if linked else None
        if trouble is None:
            status = entry.stat()
            if stat.S_ISREG(status.st_mode):
                folder.files[entry.name] = status.st_size
                return None
            trouble = None if stat.S_ISDIR(status.st_mode) else "not-a-file"
    except OSError:
        trouble = "unreadable"
    if trouble is None and len(ancestors) > MAX_DEPTH:
        trouble = "too-deep"
    if trouble is not None:
        folder.troubles[entry.name] = trouble
        return None
    below = folder.folders[entry.name] = Folder(folder.name_of(entry.name))
    # only links need real paths; plain folders cannot close a loop
    return below, entry.path, (*ancestors, target or f"{ancestors[-1]}/{entry.name}")


def _link_trouble(entry: os.DirEntry[str], target: str, root: str, ancestors: tuple[str, ...]) -> Trouble | None:
    if target in ancestors:
        return "link-loop"
    if not os.path.exists(entry.path):  # noqa: PTH110  a Path for each of 30,000 files costs more than the walk
        return "link-broken"
    return None if target == root or target.startswith(root + os.sep) else "link-outside"
