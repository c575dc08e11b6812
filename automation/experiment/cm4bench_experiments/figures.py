"""What came out at a point, read from its result records: the values that points are compared by."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cm4bench_experiments.errors import ExperimentError, did_you_mean
from cm4bench_experiments.folder import Ask, Status
from cm4bench_experiments.sweep import Settings
from cm4bench_results.record import Figure, RecordError, ResultRecord
from cm4bench_results.stamp import verdict
from cm4bench_results.store import load_file
from cm4bench_results.table import headline

NAMED = ("performance", "accuracy", "energy", "seconds")
# Units of which less is better; of throughputs and shares more is.
_LESS = ("ns", "µs", "us", "ms", "s", "J", "J/sample", "W")


@dataclass(frozen=True)
class Objective:
    """A goal: the name of a figure or of what is varied, and whether more of it is better (None: its unit tells)."""

    name: str
    more: bool | None = None

    @classmethod
    def parse(cls, text: str, dimensions: Iterable[str]) -> Objective:
        """``performance``, ``threads:min``. What is varied counts as a cost. Raises ExperimentError."""
        name, _, goal = text.partition(":")
        if goal not in ("", "min", "max"):
            raise ExperimentError(f"objective {text!r}: {goal!r} is neither min nor max", f"--objectives={name}:min")
        if goal:
            return cls(name, goal == "max")
        return cls(name, False if name in dimensions or name in ("energy", "seconds") else None)


@dataclass(frozen=True)
class Configuration:
    """All repeats of one configuration. ``causes`` say why some of them count for nothing."""

    settings: Settings
    runs: int
    values: Mapping[str, tuple[Figure, ...]]
    causes: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    def figure(self, name: str) -> Figure | None:
        """The median of the repeats; what is varied has the value it was given."""
        found = self.values.get(name)
        if found:
            return Figure(found[0].metric, statistics.median(one.value for one in found), found[0].unit)
        given = self.settings.get(name)
        return Figure(name, float(given), "") if isinstance(given, int | float) else None

    def better(self, objective: Objective) -> float | None:
        """The figure with a sign such that more is better; None where there is none."""
        figure = self.figure(objective.name)
        if figure is None:
            return None
        more = objective.more if objective.more is not None else more_is_better(figure)
        return figure.value if more else -figure.value


def more_is_better(figure: Figure) -> bool:
    """By the figure's unit: less of a time or an energy, more of everything else."""
    return figure.unit not in _LESS


def configurations(points: Iterable[tuple[Ask, Status]]) -> list[Configuration]:
    """Points that ended, their repeats brought together; in the order of their first ones."""
    groups: dict[str, list[tuple[Ask, Status]]] = {}
    for ask, status in sorted(points, key=lambda one: (one[0].point.repeat, one[1].started)):
        groups.setdefault(ask.point.key, []).append((ask, status))
    return [configuration(group) for group in groups.values()]


def configuration(group: list[tuple[Ask, Status]]) -> Configuration:
    """The repeats of one configuration as one value."""
    values: dict[str, list[Figure]] = {}
    causes: dict[str, str] = {}
    counted = 0
    for _, status in group:
        if status.state != "done":
            text = f"{status.state}: {status.cause}"
            # repeats are pruned one by one; the last one was held against the most
            causes["pruned" if status.state == "pruned" else text] = text
            continue
        try:
            found = figures(status)
        except RecordError as error:
            causes[str(error)] = str(error)
            continue
        counted += 1
        for name, figure in found.items():
            values.setdefault(name, []).append(figure)
    records = tuple(path for _, status in group for path in status.records)
    kept = {name: tuple(found) for name, found in values.items()}
    return Configuration(group[0][0].point.settings, counted, kept, tuple(causes.values()), records)


@lru_cache(maxsize=8192)
def figures(status: Status) -> dict[str, Figure]:
    """All figures of one run by name. Raises RecordError for a record that is gone, or that is not valid."""
    found = {"seconds": Figure("duration of the command", status.seconds, "s")}
    for path in status.records:
        record = load_file(Path(path))
        judged = verdict(record)
        if not judged.valid:
            raise RecordError(f"not valid: {'; '.join(judged.reasons)}")
        for name, figure in _of_record(record).items():
            found.setdefault(name, figure)
    return found


def _of_record(record: ResultRecord) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    if figure := headline(record):
        found["performance"] = figure
    if record.quality:
        found["accuracy"] = Figure(record.quality.metric, record.quality.value, record.quality.unit)
    run = record.run("performance")
    if run is not None:
        found |= {figure.metric: figure for figure in run.figures}
        if run.energy and run.energy.joules_per_sample is not None:
            found["energy"] = Figure(f"energy, {run.energy.label}", run.energy.joules_per_sample, "J/sample")
    return found


def refuse_unknown(objectives: Iterable[Objective], found: Iterable[Configuration]) -> None:
    """An objective that no point has is a mistake, once there are points. Raises ExperimentError."""
    measured = [one for one in found if one.runs]
    for objective in objectives:
        if measured and all(one.figure(objective.name) is None for one in measured):
            known = {name for one in measured for name in (*one.values, *one.settings)}
            near = did_you_mean(objective.name, known)
            raise ExperimentError(
                f"no point has a figure {objective.name!r}{near}", f"there are {', '.join(sorted(known))}"
            )
