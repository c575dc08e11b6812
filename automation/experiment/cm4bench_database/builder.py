"""Writes the database's tables, whole or only what has changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cm4bench_database.reading import Read, read
from cm4bench_database.row import SCHEMA, Row, columns
from cm4bench_database.scan import Seen

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FILES = {"path": "VARCHAR", "mtime_ns": "BIGINT", "size": "BIGINT", "sha256": "VARCHAR", "trouble": "VARCHAR"}
_LOCKS = {"sha256": "VARCHAR", "lock": "VARCHAR"}
# Files between two writes: bounds the memory, whatever there is to be read.
_CHUNK = 2000
# A rate shared out is a figure; a latency shared out is none.
_VIEWS = """
CREATE OR REPLACE VIEW copies AS
SELECT path FROM files WHERE sha256 <> '' QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY path) > 1;
CREATE OR REPLACE VIEW results AS
SELECT figures.* REPLACE (TRY_CAST(created AS TIMESTAMP) AS created),
       CASE WHEN better = 'higher' AND accelerators > 0 THEN value / accelerators END AS per_accelerator,
       CASE WHEN better = 'higher' AND cores > 0 THEN value / cores END AS per_core,
       CASE WHEN better = 'higher' AND power_w > 0 THEN value / power_w END AS per_watt,
       locks.lock
FROM figures ANTI JOIN copies USING (path) LEFT JOIN locks ON locks.sha256 = figures.lock_sha256
"""


class Change(NamedTuple):
    """What has to be done so that the database is as the files are."""

    read: Sequence[Seen]
    gone: Sequence[str]

    @property
    def is_empty(self) -> bool:
        return not (self.read or self.gone)


def create(connection: DuckDBPyConnection) -> None:
    """Make the tables where there are none."""
    for name, declared in (("figures", columns()), ("files", _FILES), ("locks", _LOCKS)):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_declared(declared)})")
    connection.execute("CREATE TABLE IF NOT EXISTS about (schema INTEGER, built VARCHAR)")
    connection.execute(_VIEWS)


def change(connection: DuckDBPyConnection, seen: Sequence[Seen]) -> Change:
    """Compare what was read with what is there: by path, time of change and size."""
    known = {Seen(*row) for row in connection.execute("SELECT path, mtime_ns, size FROM files").fetchall()}
    present = set(seen)
    return Change([one for one in seen if one not in known], sorted({one.path for one in known - present}))


def is_of_this_schema(connection: DuckDBPyConnection) -> bool:
    """Whether the database was made by these very rules."""
    return connection.execute("SELECT max(schema) FROM about").fetchone() == (SCHEMA,)


def apply(connection: DuckDBPyConnection, what: Change) -> None:
    """Carry out a change in one transaction."""
    connection.execute("BEGIN")
    for table, column in (("figures", "path"), ("files", "path")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT unnest(?::VARCHAR[]))", [list(what.gone)])
    for chunk in _chunks(what.read):
        found = [(one, read(Path(one.path))) for one in chunk]
        _insert(connection, "figures", columns(), _rows(found))
        _insert(connection, "files", _FILES, [_file(one, got) for one, got in found])
        new = {got.lock_sha256: got.lock for _, got in found if got.lock}
        _insert(connection, "locks", _LOCKS, [{"sha256": key, "lock": lock} for key, lock in new.items()])
    connection.execute("CREATE OR REPLACE TABLE locks AS SELECT DISTINCT sha256, lock FROM locks")
    connection.execute("DELETE FROM about")
    connection.execute("INSERT INTO about VALUES (?, ?)", [SCHEMA, datetime.now(timezone.utc).isoformat()])
    connection.execute("COMMIT")
    connection.execute("CHECKPOINT")


def insert_rows(connection: DuckDBPyConnection, rows: Iterable[Row]) -> None:
    """Add rows that belong to no file."""
    _insert(connection, "figures", columns(), rows)


def _rows(found: Iterable[tuple[Seen, Read]]) -> Iterator[Row]:
    """The rows, marked with the file they were read from: that of an import is the import's, to be found again."""
    for one, got in found:
        for row in got.rows:
            yield row if row.path == one.path else msgspec.structs.replace(row, path=one.path)


def _file(one: Seen, got: Read) -> dict[str, object]:
    return {**one._asdict(), "sha256": got.sha256, "trouble": got.trouble}


def _insert(connection: DuckDBPyConnection, table: str, declared: dict[str, str], rows: Iterable[object]) -> None:
    """Rows by way of a file of JSON lines: a hundred times faster than statement by statement."""
    encoder = msgspec.json.Encoder()
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        for row in rows:
            file.write(encoder.encode(row) + b"\n")
        file.flush()
        if not file.tell():
            return
        given = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in declared.items()) + "}"
        names = ", ".join(declared)
        connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM read_json(?, columns={given}, "
            "format='newline_delimited', maximum_object_size=67108864)",
            [file.name],
        )


def _declared(declared: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in declared.items())


def _chunks(seen: Sequence[Seen]) -> Iterator[Sequence[Seen]]:
    return (seen[start : start + _CHUNK] for start in range(0, len(seen), _CHUNK))
