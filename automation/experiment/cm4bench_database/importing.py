"""`cm import experiment --from=PATH`: read, keep, make part of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from cm4bench_database.database import Database
from cm4bench_database.errors import DatabaseError
from cm4bench_database.imported import Imported, save
from cm4bench_database.imports import Options, read


@dataclass(frozen=True)
class Summary:
    """What an import did.

    Attributes:
        results: imported; valid: of these.
        with_power: of the valid ones.
        known: results that were there already, from another import.
        path: what was kept.
    """

    form: str
    results: int
    valid: int
    with_power: int
    known: int
    set_aside: tuple[tuple[str, str], ...]
    path: Path

    def __str__(self) -> str:
        power = f" ({self.with_power} with power)" if self.with_power else ""
        known = f"; {self.known} were there already" if self.known else ""
        aside = f"; {len(self.set_aside)} set aside" if self.set_aside else ""
        return f"{self.form}: {self.results} results, {self.valid} of them valid{power}{known}{aside}"


def import_results(database: Database, path: Path, options: Options | None = None) -> Summary:
    """Import a path into a database's home. Importing it again replaces what it had given.

    Raises:
        DatabaseError: nothing there can be imported.
    """
    origin = path.expanduser().resolve()
    found = read(origin, options)
    if not (found.rows or found.set_aside):
        raise DatabaseError(f"{origin} has no results")
    already = _known(database, origin)
    rows = tuple(row for row in found.rows if row.id not in already)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    kept = Imported(origin=str(origin), form=found.form, created=now, rows=rows, set_aside=tuple(found.set_aside))
    target = save(kept, database.home)
    database.refresh()
    judged = {row.id: row for row in rows if row.headline}
    valid = {identifier for identifier, row in judged.items() if row.valid}
    powered = {row.id for row in rows if row.mode == "power"} & valid
    repeated = len({row.id for row in found.rows} - {row.id for row in rows})
    return Summary(found.form, kept.results, len(valid), len(powered), repeated, kept.set_aside, target)


def _known(database: Database, origin: Path) -> set[str]:
    """Results that another origin has given: the same round published as a table and as a tree counts once."""
    from cm4bench_database.imported import place

    own = str(place(origin, database.home).resolve())
    found = database.query("SELECT DISTINCT id FROM figures WHERE source = 'official' AND path <> ?", [own])
    return {str(identifier) for (identifier,) in found.rows}
