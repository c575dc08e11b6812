"""The results database: SQL over all Result records of a folder, and over what was imported into it.

The files stay the truth. The database lies beside them, follows their changes, and can be thrown away at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cm4bench_database import builder, scan
from cm4bench_database.errors import DatabaseError
from cm4bench_database.extras import need
from cm4bench_database.filters import where
from cm4bench_database.generations import Busy, Generations
from cm4bench_database.table import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WAIT_S = 60.0
# SQL comes from users and from a browser: it may read the tables and nothing else on this machine.
_SEALED = {"enable_external_access": "false", "lock_configuration": "true", "autoinstall_known_extensions": "false"}


class Refreshed(NamedTuple):
    """What a refresh did: files read, files that are gone, and whether it was left to another writer."""

    read: int = 0
    gone: int = 0
    busy: bool = False


class SetAside(NamedTuple):
    """A file that holds no rows, and why. It stays where it is."""

    path: str
    reason: str


class Database:
    """The database of one results folder. Methods may be called from several threads."""

    def __init__(self, home: Path, folders: Sequence[Path] = ()) -> None:
        self.home = home
        self.folders = tuple(folders)
        self.generations = Generations(home / scan.PLACE)
        self._guard = threading.Lock()
        self._open: tuple[Path, DuckDBPyConnection] | None = None

    @classmethod
    def open(cls, home: Path, folders: Sequence[Path] = ()) -> Database:
        """The database of the records below ``home`` and ``folders``, brought up to date.

        Where another process is just writing it, the last finished state is shown.

        Raises:
            DatabaseError: no such folder, or the database is missing and cannot be made.
        """
        need("duckdb")
        if not home.is_dir():
            raise DatabaseError(f"there is no folder {home}", "--results_dir=FOLDER names the results")
        database = cls(home, folders)
        database.refresh(wait_s=0.0 if database.is_readable() else WAIT_S)
        return database

    def refresh(self, wait_s: float = WAIT_S) -> Refreshed:
        """Read what is new or changed, forget what is gone; a damaged database is made anew.

        Raises:
            Busy: another writer took longer than ``wait_s`` seconds, and there is no finished state to read.
        """
        seen = scan.look(self.home, self.folders)
        if self._change(seen).is_empty and self.is_readable():
            return Refreshed()
        try:
            with self.generations.writing(wait_s) as draft:
                if not self.is_readable():
                    draft.unlink(missing_ok=True)
                return self._write(draft, seen)
        except Busy:
            if self.is_readable():
                return Refreshed(busy=True)
            raise

    def rebuild(self, results_dirs: Iterable[Path] = (), wait_s: float = WAIT_S) -> Refreshed:
        """Make the database from nothing but the files below the home and ``results_dirs``.

        Raises:
            Busy: another writer took longer than ``wait_s`` seconds.
        """
        need("duckdb")
        self.folders = tuple(results_dirs) or self.folders
        with self.generations.writing(wait_s) as draft:
            draft.unlink(missing_ok=True)
            return self._write(draft, scan.look(self.home, self.folders))

    def query(self, sql: str, parameters: Sequence[Any] = (), timeout_s: float | None = None) -> Table:
        """Run one statement that only reads. Files of this machine are out of its reach.

        Raises:
            DatabaseError: the statement is wrong, or did not end within ``timeout_s`` seconds.
        """
        with self._cursor() as cursor:
            return Table(*self._run(cursor, sql, parameters, timeout_s))

    def records(self, **filters: Any) -> Table:
        """Rows of ``results`` by column: ``records(model="resnet50", scenario=["Offline", "Server"])``.

        Text is compared without case and may have ``*``. Raises :class:`DatabaseError` for an unknown column.
        """
        condition, parameters = where(filters)
        return self.query(f"SELECT * FROM results {condition} ORDER BY created, id, metric", parameters)

    def arrays(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any]:
        """Columns of a query as numpy arrays, by name: for plots of a million points. Needs numpy."""
        import duckdb

        need("numpy")
        with self._cursor() as cursor:
            try:
                return dict(cursor.execute(sql, list(parameters)).fetchnumpy())
            except duckdb.Error as error:
                raise _wrong(error) from None

    def set_aside(self) -> list[SetAside]:
        """Files that could not be read, each with the reason."""
        found = self.query("SELECT path, trouble FROM files WHERE trouble <> '' ORDER BY path")
        return [SetAside(*row) for row in found.rows]

    def is_readable(self) -> bool:
        """Whether there is a finished state of this program's schema."""
        import duckdb

        try:
            with self._cursor() as cursor:
                return builder.is_of_this_schema(cursor)
        except (duckdb.Error, DatabaseError):
            return False

    def _change(self, seen: Sequence[scan.Seen]) -> builder.Change:
        import duckdb

        with suppress(duckdb.Error, DatabaseError), self._cursor() as cursor:
            return builder.change(cursor, seen)
        return builder.Change(seen, ())

    def _write(self, draft: Path, seen: Sequence[scan.Seen]) -> Refreshed:
        import duckdb

        try:
            return _written(draft, seen)
        except duckdb.Error:
            # Damaged: all that it held is in the files, so it is made once more from these.
            draft.unlink(missing_ok=True)
        try:
            return _written(draft, seen)
        except duckdb.Error as error:
            draft.unlink(missing_ok=True)
            raise DatabaseError(f"the database cannot be made: {error}") from None

    def _cursor(self) -> DuckDBPyConnection:
        """A cursor on the newest generation; it stays valid when a newer one comes."""
        import duckdb

        for _ in range(3):
            newest = self.generations.newest()
            if newest is None:
                break
            with self._guard, suppress(duckdb.IOException):
                if self._open is None or self._open[0] != newest:
                    self._open = newest, duckdb.connect(str(newest), read_only=True, config=dict(_SEALED))
                return self._open[1].cursor()
        raise DatabaseError(f"{self.home} has no readable database", "cm find experiment --rebuild makes it")

    @staticmethod
    def _run(
        cursor: DuckDBPyConnection, sql: str, parameters: Sequence[Any], timeout_s: float | None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        import duckdb

        clock = threading.Timer(timeout_s, cursor.interrupt) if timeout_s else None
        try:
            if clock:
                clock.start()
            cursor.execute(sql, list(parameters))
            names = tuple(str(column[0]) for column in cursor.description or ())
            return names, cursor.fetchall()
        except duckdb.InterruptException:
            raise DatabaseError(f"the query took longer than {timeout_s:g} s", "ask for less, or add LIMIT") from None
        except duckdb.Error as error:
            raise _wrong(error) from None
        finally:
            if clock:
                clock.cancel()


def _written(draft: Path, seen: Sequence[scan.Seen]) -> Refreshed:
    import duckdb

    connection = duckdb.connect(str(draft))
    try:
        builder.create(connection)
        what = builder.change(connection, seen)
        builder.apply(connection, what)
    finally:
        connection.close()
    return Refreshed(len(what.read), len(what.gone))


def _wrong(error: Exception) -> DatabaseError:
    cause = str(error).strip()
    return DatabaseError(cause, "cm find experiment --sql='DESCRIBE results' shows the columns")
