"""Optuna chooses the points. Its study is made anew from the points on disk, so a killed search goes on."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

from cm4bench_experiments.choice import scores
from cm4bench_experiments.conditions import holds
from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.figures import Objective
from cm4bench_experiments.plan import Point
from cm4bench_experiments.source import Known
from cm4bench_experiments.sweep import Search, Sweep

# Proposals that may turn out known or ruled out by a condition, for each one that is run.
_PATIENCE = 50


class Searched:
    """Points that Optuna asks for, each with all its repeats, until the trials are used up."""

    def __init__(self, sweep: Sweep, search: Search, known: Known) -> None:
        if not sweep.grid or sweep.points:
            raise ExperimentError(
                "a search needs a grid, and no list", "--explore.batch_size=1,2,4,8 --search.trials=20"
            )
        self._sweep, self._search, self._known = sweep, search, known
        self._objectives = [Objective.parse(text, sweep.dimensions) for text in sweep.objectives]
        self._ready: deque[Point] = deque()
        self._asked: dict[str, Any] = {}
        self._told: set[str] = set()
        self._study = _study(search, len(self._objectives))
        self._spaces = _spaces(sweep)
        for configuration in known.configurations():
            self._recall(Point(configuration.settings))
        self._finish_known()

    def next(self) -> Point | None:
        if not self._ready:
            self._ask()
        return self._ready.popleft() if self._ready else None

    def learn(self, point: Point) -> None:
        missing = [repeat for repeat in self._repeats(point) if self._known.status(repeat) is None]
        if not missing and point.key in self._asked:
            values = self._scores(point)
            self._told.add(point.key)
            trial = self._asked.pop(point.key)
            self._study.tell(trial, values, state=None if values else _state("FAIL"))

    def hopeless(self, point: Point) -> str:
        return ""

    def _finish_known(self) -> None:
        """Repeats that a killed search still owes."""
        for configuration in self._known.configurations():
            self._ready += [one for one in self._repeats(Point(configuration.settings)) if not self._known.status(one)]

    def _ask(self) -> None:
        for _ in range(_PATIENCE):
            if len(self._told) + len(self._asked) >= self._search.trials:
                return
            trial = self._study.ask(self._spaces)
            settings = {name: self._sweep.grid[name][index] for name, index in trial.params.items()}
            point = Point(settings)
            if point.key in self._told:
                values = self._scores(point)
                self._study.tell(trial, values, state=None if values else _state("FAIL"))
            elif point.key in self._asked or not holds(self._sweep.where, settings):
                self._study.tell(trial, state=_state("FAIL"))
            else:
                self._asked[point.key] = trial
                self._ready += self._repeats(point)
                return

    def _repeats(self, point: Point) -> list[Point]:
        return [Point(point.settings, repeat) for repeat in range(1, self._sweep.repeat + 1)]

    def _scores(self, point: Point) -> tuple[float, ...] | None:
        found = self._known.configuration(point)
        return scores(found, self._objectives) if found else None

    def _recall(self, point: Point) -> None:
        """A trial of an earlier command; values that the grid no longer has cannot be told to Optuna."""
        import optuna

        self._told.add(point.key)
        values = self._scores(point)
        if not values or any(point.settings.get(name) not in given for name, given in self._sweep.grid.items()):
            return
        indices = {name: given.index(point.settings[name]) for name, given in self._sweep.grid.items()}
        self._study.add_trial(optuna.create_trial(params=indices, distributions=self._spaces, values=list(values)))


def _study(search: Search, goals: int) -> Any:
    from cm4bench_database.extras import need

    need("optuna")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers = {
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
        "nsga2": optuna.samplers.NSGAIISampler,
    }
    return optuna.create_study(directions=["maximize"] * goals, sampler=samplers[search.sampler](seed=search.seed))


def _spaces(sweep: Sweep) -> dict[str, Any]:
    """Indices into the values of the grid: numbers in rising order are a range, all else are kinds."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return {
        name: IntDistribution(0, len(given) - 1) if _rises(given) else CategoricalDistribution(range(len(given)))
        for name, given in sweep.grid.items()
    }


def _rises(given: tuple[Any, ...]) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in given)
    return numbers and all(one < two for one, two in itertools.pairwise(given))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
