"""Changes of level in the histories of our own results, and what else changed at the same point."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cm4bench_compare.changes import ChangePoint, detect
from cm4bench_database import Database
from cm4bench_database.filters import where

# One history: the same thing measured on the same kind of device. How it was set up may change, and shall be found.
TOGETHER = ("model", "scenario", "metric", "unit", "better", "device", "backend", "precision", "system", "tier")
_WATCHED = ("batch_size", "threads", "workers", "platform", "processor", "cores", "accelerators", "host", "framework")


@dataclass(frozen=True)
class Shift:
    """One change in one history.

    Attributes:
        history: the columns that make it one, with their values.
        point: the change. before, after: ids of the last result before it and of the first one after it.
        changed: what else differs between these two results, in words.
        paths: files of these two results.
    """

    history: Mapping[str, Any]
    point: ChangePoint
    before: str
    after: str
    changed: tuple[str, ...]
    paths: tuple[str, str]

    @property
    def is_regression(self) -> bool:
        higher_is_better: bool = self.history["better"] != "lower"
        return (self.point.change < 0) == higher_is_better

    def __str__(self) -> str:
        told = self.history
        verdict = "worse" if self.is_regression else "better"
        levels = f"{self.point.before:.5g} → {self.point.after:.5g} {told['unit']}"
        since = "only the newest result" if self.point.newest else f"since {self.after}"
        causes = f"with it changed: {', '.join(self.changed)}" if self.changed else "nothing recorded changed with it"
        head = f"{told['model']} {told['scenario']} ({told['backend']}, {told['device']}), {told['metric']}"
        return f"{head}: {100 * self.point.change:+.1f} %, {verdict}: {levels}, {since}; {causes}"


def shifts(database: Database, filters: Mapping[str, Any]) -> list[Shift]:
    """All changes in the histories of valid own results that fit the filters, regressions first."""
    found = [shift for history in _histories(database, filters) for shift in _shifts(history)]
    return sorted(found, key=lambda one: (not one.is_regression, -abs(one.point.change)))


def _histories(database: Database, filters: Mapping[str, Any]) -> Iterator[Sequence[dict[str, Any]]]:
    condition, parameters = where(filters)
    names = ", ".join(dict.fromkeys((*TOGETHER, *_WATCHED, "id", "value", "path", "versions")))
    table = database.query(
        f"SELECT {names} FROM results {condition or 'WHERE true'} AND source = 'own' AND headline AND value > 0 "
        f"AND valid AND mode = 'performance' ORDER BY {', '.join(TOGETHER)}, created, id",
        parameters,
    )
    for _, rows in itertools.groupby(table.dicts(), key=lambda row: [row[name] for name in TOGETHER]):
        yield list(rows)


def _shifts(history: Sequence[Mapping[str, Any]]) -> Iterator[Shift]:
    for point in detect([row["value"] for row in history]):
        before, after = history[point.index - 1], history[point.index]
        yield Shift(
            {name: after[name] for name in TOGETHER},
            point,
            before["id"],
            after["id"],
            tuple(_changed(before, after)),
            (before["path"], after["path"]),
        )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in _WATCHED:
        if before[name] != after[name]:
            yield f"{name} {before[name]} → {after[name]}"
    old, new = (json.loads(row["versions"] or "{}") for row in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
