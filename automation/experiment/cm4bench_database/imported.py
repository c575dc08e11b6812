"""What was imported, as a file: the rows with where they come from. The database can always be made from it again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec

from cm4bench_database.errors import DatabaseError
from cm4bench_database.row import Row
from cm4bench_database.scan import IMPORT_SUFFIX, IMPORTED, PLACE

SCHEMA = 1


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one import.

    Attributes:
        origin: folder or file that was read. form: what it was recognised as.
        created: ISO 8601 in UTC.
        set_aside: what could not be read, each with the reason.
    """

    origin: str
    form: str
    created: str
    rows: tuple[Row, ...]
    set_aside: tuple[tuple[str, str], ...] = ()
    kind: Literal["cm4bench-import"] = "cm4bench-import"
    schema: Literal[1] = 1

    @property
    def results(self) -> int:
        """How many results there are; a result may have several figures."""
        return len({row.id for row in self.rows})


def save(imported: Imported, home: Path) -> Path:
    """Keep an import with a home's results. The same origin imported again takes the place of what it was.

    Raises:
        DatabaseError: the folder cannot be written.
    """
    from cm4bench_results.store import write_atomically

    target = place(Path(imported.origin), home)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, msgspec.json.encode(imported).decode())
    except OSError as error:
        raise DatabaseError(f"{target} cannot be written: {error.strerror or error}") from None
    return target


def place(origin: Path, home: Path) -> Path:
    """Where the import of an origin is kept."""
    return home / PLACE / IMPORTED / f"{_slug(str(origin))}{IMPORT_SUFFIX}"


def _slug(origin: str) -> str:
    """A file name that tells the origin to people and is its own for every origin."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", Path(origin).name).strip("-.")[:60]
    return f"{words or 'import'}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}"
