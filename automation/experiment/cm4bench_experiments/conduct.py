"""Runs an experiment: point after point, until none is missing or the budget is spent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cm4bench_experiments.devices import device_of
from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.executors import Executor
from cm4bench_experiments.folder import Ask, Experiment, PointFolder, Status
from cm4bench_experiments.plan import Point
from cm4bench_experiments.source import Known, Source
from cm4bench_experiments.sweep import Settings, Sweep

# Told about every point that ended.
Listener = Callable[[Ask, Status], None]
VARIATION = "variation"  # what is varied under this name are variations, not options


@dataclass
class Tally:
    """What one command did. ``overhead_s``: what it took beyond the runs themselves, by the clock on the wall."""

    ended: int = 0
    wall_s: float = 0.0
    runs_s: float = 0.0
    out_of_budget: bool = False
    states: dict[str, int] = field(default_factory=dict)

    @property
    def overhead_s(self) -> float:
        """Seconds beyond the runs, per point; only where points ran one after the other."""
        return (self.wall_s - self.runs_s) / self.ended if self.ended else 0.0

    def count(self, status: Status) -> None:
        """Take in how a point ended."""
        self.ended += 1
        self.runs_s += status.seconds
        self.states[status.state] = self.states.get(status.state, 0) + 1


@dataclass(frozen=True)
class Place:
    """Where a command works: the results folder for the records, and the folder that runs start in."""

    results_dir: Path
    cwd: Path


def ask_of(sweep: Sweep, point: Point, place: Place) -> Ask:
    """What a point is asked to run."""
    settings = dict(point.settings)
    variation = str(settings.pop(VARIATION, "")).lstrip("_")
    tags = f"{sweep.run},_{variation}" if variation else sweep.run
    options: Settings = {**sweep.options, **settings}
    device = device_of(tags, dict(options))
    places = str(place.results_dir), str(place.cwd)
    return Ask(point, tags, options, sweep.env, device, sweep.timeout_s, *places)


@contextlib.contextmanager
def alone(experiment: Experiment) -> Iterator[None]:
    """No two commands may work on one experiment. Raises ExperimentError."""
    from filelock import FileLock, Timeout

    lock = FileLock(experiment.path / "sweep.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ExperimentError(f"{experiment.path} is being run by another command", "wait for it") from None
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Conductor:
    """Brings source and executor together."""

    experiment: Experiment
    sweep: Sweep
    place: Place
    source: Source
    known: Known
    executor: Executor
    listener: Listener

    def run(self) -> Tally:
        """Run what is missing. A point that fails is recorded, and the rest goes on."""
        tally, begun, under_way = Tally(), time.monotonic(), 0
        try:
            while True:
                while under_way < self.executor.width and self._start(tally, begun):
                    under_way += 1
                if not under_way:
                    break
                self._end(*self.executor.finished(), tally)
                under_way -= 1
        finally:
            self.executor.close()
        tally.wall_s = time.monotonic() - begun
        return tally

    def _start(self, tally: Tally, begun: float) -> bool:
        """Submit the next point; False if there is none to submit now."""
        while (point := None if self._spent(begun) else self.source.next()) is not None:
            ask = ask_of(self.sweep, point, self.place)
            folder = self.experiment.prepare(ask)
            reason = self.source.hopeless(point)
            if not reason:
                self.executor.submit(folder)
                return True
            folder.end(Status("pruned", reason))
            self._learn(ask, Status("pruned", reason), tally)
        tally.out_of_budget = self._spent(begun)
        return False

    def _spent(self, begun: float) -> bool:
        budget = self.sweep.budget_s
        return budget is not None and time.monotonic() - begun >= budget

    def _end(self, folder: PointFolder, trouble: str, tally: Tally) -> None:
        status = folder.status()
        if status is None:
            status = Status("failed", trouble or "its executor lost it")
            folder.end(status)
        self._learn(folder.ask(), status, tally)

    def _learn(self, ask: Ask, status: Status, tally: Tally) -> None:
        self.known.add(ask, status)
        self.source.learn(ask.point)
        tally.count(status)
        self.listener(ask, status)
