"""Runs out of the database: the two sides of a comparison, and the repeats that tell the noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cm4bench_compare.noise import Comparison, Noise, compare, learn
from cm4bench_compare.words import sentence
from cm4bench_database import Database, DatabaseError
from cm4bench_database.filters import where

# Runs that agree in all of these are repeats of each other.
SAME = (
    *("model", "benchmark", "scenario", "mode", "metric", "unit", "device", "backend", "precision", "batch_size"),
    *("threads", "workers", "system", "cores", "accelerators", "tier", "versions"),
)


class Subject(NamedTuple):
    """What figures must have in common to be compared at all."""

    model: str
    scenario: str
    metric: str
    unit: str
    better: str

    def __str__(self) -> str:
        return f"{self.model} {self.scenario}, {self.metric}"


@dataclass(frozen=True)
class Side:
    """Runs under one name. ``ids`` are of the results that the figures came from."""

    name: str
    figures: Mapping[Subject, Sequence[float]]
    ids: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Compared:
    """One subject of two sides."""

    subject: Subject
    found: Comparison
    b: str

    def __str__(self) -> str:
        return f"{self.subject}: {sentence(self.found, self.b, self.subject.unit, self.subject.metric)}"


def side(database: Database, name: str, filters: Mapping[str, Any]) -> Side:
    """All judged figures that fit the filters, by subject.

    Raises:
        DatabaseError: nothing fits.
    """
    condition, parameters = where(filters)
    return _side(database, name, condition or "WHERE true", parameters)


def named(database: Database, word: str) -> Side:
    """The results that a word names: a file or folder of results, or an id or a part of one.

    Raises:
        DatabaseError: it names none.
    """
    path = Path(word).expanduser()
    if path.exists():
        place = str(path.resolve())
        return _side(database, word, "WHERE (path = ? OR starts_with(path, ?))", [place, f"{place}/"])
    return _side(database, word, "WHERE (id = ? OR contains(id, ?))", [word, word])


def compared(database: Database, a: Side, b: Side) -> list[Compared]:
    """Every subject that both sides have.

    Raises:
        DatabaseError: they have none in common.
    """
    common = [subject for subject in a.figures if subject in b.figures]
    if not common:
        has = [", ".join(sorted({str(subject) for subject in one.figures})) for one in (a, b)]
        raise DatabaseError(f"{a.name} and {b.name} have no figure in common: {has[0]}; {has[1]}")
    found = []
    for subject in common:
        noise = learnt(database, subject, a.ids | b.ids)
        judged = compare(
            a.figures[subject], b.figures[subject], higher_is_better=subject.better != "lower", noise=noise
        )
        found.append(Compared(subject, judged, b.name))
    return found


def learnt(database: Database, subject: Subject, without: frozenset[str] = frozenset()) -> Noise | None:
    """Noise of a metric from all repeats of own runs but those under comparison."""
    sql = (
        "SELECT list(value) FROM results WHERE source = 'own' AND headline AND value > 0 AND scenario = ? "
        f"AND metric = ? AND id NOT IN (SELECT unnest(?::VARCHAR[])) GROUP BY {', '.join(SAME)} HAVING count(*) > 1"
    )
    found = database.query(sql, [subject.scenario, subject.metric, sorted(without)])
    return learn(row[0] for row in found.rows)


def _side(database: Database, name: str, condition: str, parameters: Sequence[Any]) -> Side:
    columns = ", ".join(Subject._fields)
    found = database.query(
        f"SELECT {columns}, value, id FROM results {condition} AND headline AND value > 0 ORDER BY {columns}, id",
        parameters,
    )
    if not found.rows:
        raise DatabaseError(f"{name} names no result with a figure", "cm find experiment shows what there is")
    figures: dict[Subject, list[float]] = defaultdict(list)
    for *subject, value, _ in found.rows:
        figures[Subject(*subject)].append(value)
    return Side(name, figures, frozenset(found.column("id")))
