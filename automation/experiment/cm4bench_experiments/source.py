"""Which point comes next: those of the plan in their order, without what is known or hopeless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from cm4bench_experiments.choice import is_hopeless
from cm4bench_experiments.figures import Configuration, Objective, configuration
from cm4bench_experiments.folder import Ask, Status
from cm4bench_experiments.plan import Point, points
from cm4bench_experiments.sweep import Sweep

Group = list[tuple[Ask, Status]]


class Known:
    """The points that ended, by configuration; read from disk once, then kept up."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[int, tuple[Ask, Status]]] = {}

    def add(self, ask: Ask, status: Status) -> None:
        """Take in how a point ended."""
        self._groups.setdefault(ask.point.key, {})[ask.point.repeat] = (ask, status)

    def status(self, point: Point) -> Status | None:
        """How ``point`` ended, or None."""
        found = self._groups.get(point.key, {}).get(point.repeat)
        return found[1] if found else None

    def configuration(self, point: Point) -> Configuration | None:
        """The repeats of the configuration of ``point`` so far, or None."""
        group = self._groups.get(point.key)
        return configuration(list(group.values())) if group else None

    def all(self) -> Iterator[tuple[Ask, Status]]:
        """All points that ended."""
        for group in self._groups.values():
            yield from group.values()

    def configurations(self) -> list[Configuration]:
        """All configurations with a point that ended."""
        return [configuration(list(group.values())) for group in self._groups.values()]


class Source(Protocol):
    """Gives the points of an experiment, one at a time."""

    def next(self) -> Point | None:
        """A point to run, or None: there is none now."""

    def learn(self, point: Point) -> None:
        """The point has ended; ``Known`` has its status."""

    def hopeless(self, point: Point) -> str:
        """Why the point that `next` gave should not run, or an empty text."""


class Listed:
    """The points of the plan."""

    def __init__(self, sweep: Sweep, known: Known, retry: bool = False) -> None:
        self._sweep, self._known = sweep, known
        self._points = points(sweep)
        self._again: Mapping[str, bool] = {"failed": retry, "timed out": retry}

    def next(self) -> Point | None:
        for point in self._points:
            status = self._known.status(point)
            if status is None or self._again.get(status.state, False):
                return point
        return None

    def learn(self, point: Point) -> None:
        """A plan knows its points beforehand."""

    def hopeless(self, point: Point) -> str:
        prune = self._sweep.prune
        mine = self._known.configuration(point) if prune and point.repeat > prune.after else None
        if prune is None or mine is None:
            return ""
        if not mine.runs:
            return mine.causes[-1] if mine.causes else "no valid run"
        objective = Objective.parse(self._sweep.objectives[0], self._sweep.dimensions)
        return is_hopeless(mine, self._known.configurations(), objective, prune.worse_than)
