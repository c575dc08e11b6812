"""Which files the database is made of: Result records below a folder, and what was imported."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cm4bench_results.store import RESULT_FILE

PLACE = ".database"
IMPORTED = "imported"
CRATE_FILE = "ro-crate-metadata.json"
IMPORT_SUFFIX = ".import.json"


class Seen(NamedTuple):
    """A file as it is on disk. ``mtime_ns`` and ``size`` tell whether it has to be read again."""

    path: str
    mtime_ns: int
    size: int


def look(home: Path, folders: Iterable[Path]) -> list[Seen]:
    """All files that count, by path: imports of ``home``, records below ``home`` and ``folders``."""
    found = {one.path: one for folder in (home, *folders) for one in _records(str(folder.resolve()))}
    found |= {one.path: one for one in _imports(home.resolve())}
    return sorted(found.values())


def _records(folder: str) -> Iterator[Seen]:
    """Links are not followed: a loop would have no end, and a link may lead anywhere."""
    for place, folders, names in os.walk(folder):
        if RESULT_FILE in names:
            folders.clear()  # below a record there are only its logs
            yield from _seen(f"{place}/{RESULT_FILE}")
        if CRATE_FILE in names:
            folders.clear()  # what was packed lies elsewhere as well
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _imports(home: Path) -> Iterator[Seen]:
    for path in (home / PLACE / IMPORTED).glob(f"*{IMPORT_SUFFIX}"):
        yield from _seen(str(path))


def _seen(path: str) -> Iterator[Seen]:
    try:
        status = os.lstat(path)
    except OSError:  # gone since the folder was read
        return
    yield Seen(path, status.st_mtime_ns, status.st_size)
