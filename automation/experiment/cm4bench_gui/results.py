"""Results as the pages ask for them: filtered, counted, a page at a time. All of it is answered by the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cm4bench_compare import Noise
    from cm4bench_database import Database

# Columns that can be filtered by, in the order of the form.
FILTERS = ("source", "model", "scenario", "round", "division", "category", "submitter", "accelerator", "device",
           "backend", "precision", "tier")  # fmt: skip
NUMBERS = ("value", "per_accelerator", "per_core", "per_watt", "accuracy", "power_w", "joules_per_sample",
           "accelerators", "cores", "nodes", "batch_size", "threads", "workers")  # fmt: skip
TEXTS = ("system", "created", *FILTERS)
SHOWN = ("id", "source", "submitter", "system", "accelerator", "accelerators", "processor", "model", "scenario",
         "division", "category", "availability", "round", "tier", "device", "backend", "precision", "batch_size",
         "threads", "workers", "metric", "unit", "value", "better", "accuracy", "accuracy_metric", "power_w",
         "joules_per_sample", "valid", "created", "host", "framework", "notes", "path")  # fmt: skip
PAGE = 25
# More choices than this are no list to choose from.
MOST_CHOICES = 300
LONGEST_S = 20.0
_FRESH_S = 3.0

Row = Mapping[str, Any]


class NoResults(ValueError):
    """Results that cannot be shown: the cause, then what to do about it."""


@dataclass(frozen=True)
class Filter:
    """What to show: ``columns`` maps names of :data:`FILTERS` to the one value wanted, ``text`` is part of a name."""

    columns: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    valid_only: bool = False

    def where(self) -> tuple[str, list[Any]]:
        """As a WHERE clause with its parameters. Values never become part of the SQL."""
        chosen = [(name, value) for name, value in self.columns.items() if name in FILTERS and value]
        conditions = ["headline", *(f"{name} = ?" for name, _ in chosen)]
        parameters: list[Any] = [value for _, value in chosen]
        if self.text:
            conditions.append("contains(lower(concat_ws(' ', id, system, submitter, model, accelerator)), ?)")
            parameters.append(self.text.lower())
        if self.valid_only:
            conditions.append("valid")
        return "WHERE " + " AND ".join(conditions), parameters


@dataclass(frozen=True)
class Slice:
    """Some rows of ``total`` that fit."""

    rows: tuple[Row, ...]
    total: int


class Results:
    """The results below some folders. Opened when first asked, and brought up to date now and then."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = [Path(folder) for folder in folders if Path(folder).is_dir()]
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._looked = 0.0

    def page(self, wanted: Filter, offset: int = 0, order: str = "created", *, descending: bool = True) -> Slice:
        """``PAGE`` rows from ``offset`` on, ordered by a column."""
        clause, parameters = wanted.where()
        by = f"{order if order in SHOWN else 'created'} {'DESC' if descending else 'ASC'} NULLS LAST, id"
        total = self._rows(f"SELECT count(*) AS n FROM results {clause}", parameters)[0]["n"]
        sql = f"SELECT {', '.join(SHOWN)} FROM results {clause} ORDER BY {by} LIMIT {PAGE} OFFSET {int(offset)}"
        return Slice(tuple(self._rows(sql, parameters)), int(total))

    def points(self, wanted: Filter, names: Sequence[str], limit: int) -> Slice:
        """The columns ``names`` of at most ``limit`` rows that have a value in all of them, spread over all."""
        names = [name for name in dict.fromkeys(names) if name in NUMBERS or name in TEXTS]
        clause, parameters = wanted.where()
        clause += "".join(f" AND {name} IS NOT NULL" for name in names)
        total = int(self._rows(f"SELECT count(*) AS n FROM results {clause}", parameters)[0]["n"])
        columns = ", ".join(dict.fromkeys([*names, "id", "system", "submitter", "source", "unit"]))
        sample = f"USING SAMPLE reservoir({int(limit)} ROWS) REPEATABLE (1)" if total > limit else ""
        sql = f"SELECT {columns} FROM (SELECT * FROM results {clause}) {sample}"
        return Slice(tuple(self._rows(sql, parameters)), total)

    def choices(self) -> dict[str, list[str]]:
        """Values of each column of :data:`FILTERS`, the most frequent first; at most ``MOST_CHOICES`` of each."""
        found: dict[str, list[str]] = {name: [] for name in FILTERS}
        for row in self._rows(" UNION ALL ".join(map(_counted, FILTERS)), ()):
            found[row["name"]].append(str(row["v"]))
        return found

    def figures(self, result: str) -> list[Row]:
        """All figures of the result with this id, the one it is judged by first."""
        sql = f"SELECT {', '.join(SHOWN)} FROM results WHERE id = ? ORDER BY headline DESC, metric"
        return self._rows(sql, (result,))

    def noise(self, *under_comparison: Row) -> Noise | None:
        """Noise of the first one's metric, from the repeats of all other runs of our own."""
        from cm4bench_compare.sides import Subject, learnt

        subject = Subject(*(str(under_comparison[0][name]) for name in Subject._fields))
        return learnt(self._current(), subject, frozenset(str(row["id"]) for row in under_comparison))

    def set_aside(self) -> list[tuple[str, str]]:
        """Files that hold no readable result, each with the reason."""
        return [(str(one.path), str(one.reason)) for one in self._current().set_aside()]

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        from cm4bench_database import DatabaseError

        try:
            return list(self._current().query(sql, parameters, LONGEST_S).dicts())
        except DatabaseError as error:
            raise NoResults(str(error)) from None

    def _current(self) -> Database:
        from cm4bench_database import Database, DatabaseError

        if not self._folders:
            raise NoResults('There are no results yet. Make some: cmr "run mlperf inference"')
        with self._lock:
            try:
                if self._database is None:
                    self._database = Database.open(self._folders[0], self._folders[1:])
                elif time.monotonic() - self._looked > _FRESH_S:
                    self._database.refresh(wait_s=0.0)
            except (DatabaseError, OSError) as error:
                raise NoResults(str(error)) from None
            self._looked = time.monotonic()
            return self._database


def _counted(column: str) -> str:
    """A query for the most frequent values of one column."""
    sql = f"SELECT '{column}' AS name, {column}::VARCHAR AS v, count(*) AS n FROM results"
    return f"({sql} WHERE headline AND {column} <> '' GROUP BY 2 ORDER BY n DESC, v LIMIT {MOST_CHOICES})"
