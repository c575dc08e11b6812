"""The database's files. A writer makes a new generation and renames it into place; who reads keeps the one he has.

DuckDB lets one process write a file, and nobody read it meanwhile. So no file is ever written that somebody may read:
reading waits for nobody, and a killed writer leaves a draft that the next one clears.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cm4bench_database.errors import DatabaseError

PATTERN, DRAFTS = "results-*.duckdb", ".draft-*"
# A reader that has just read the folder finds the file that it saw there.
_KEPT = 2


class Busy(DatabaseError):
    """Somebody else is writing."""


@dataclass(frozen=True)
class Generations:
    """All generations in ``folder``, which is made when first written to."""

    folder: Path

    def newest(self) -> Path | None:
        """The generation to read."""
        return max(self.folder.glob(PATTERN), default=None)

    @contextmanager
    def writing(self, wait_s: float) -> Iterator[Path]:
        """Path of a draft to write, a copy of the newest generation if there is one; published at the end.

        Raises:
            Busy: another writer did not finish within ``wait_s`` seconds.
            DatabaseError: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "writer.lock", timeout=wait_s):
                yield from self._drafted()
        except Timeout:
            raise Busy(f"another command is writing the database in {self.folder}", "the same command again") from None
        except OSError as error:
            cause = f"the database in {self.folder} cannot be written: {error.strerror or error}"
            raise DatabaseError(cause, "--results_dir=FOLDER names a folder that you may write") from None

    def discard(self) -> None:
        """Remove all generations: to be called while writing."""
        for path in self.folder.glob(PATTERN):
            path.unlink(missing_ok=True)

    def _drafted(self) -> Iterator[Path]:
        for scrap in self.folder.glob(DRAFTS):
            scrap.unlink(missing_ok=True)
        newest = self.newest()
        draft = self.folder / ".draft-results.duckdb"
        target = self.folder / f"results-{_number(newest) + 1:012d}.duckdb"
        try:
            if newest is not None:
                shutil.copyfile(newest, draft)
            yield draft
            if draft.exists():
                draft.replace(target)
                self._forget()
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def _forget(self) -> None:
        for path in sorted(self.folder.glob(PATTERN))[:-_KEPT]:
            path.unlink(missing_ok=True)


def _number(path: Path | None) -> int:
    digits = path.stem.rpartition("-")[2] if path else ""
    return int(digits) if digits.isdecimal() else 0
