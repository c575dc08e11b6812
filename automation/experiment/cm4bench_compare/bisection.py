"""Which entry of the difference between two locks made a result worse."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cm4bench_compare.deltadebug import ddmin
from cm4bench_compare.lockmix import Entry, Lock, entries, mixed
from cm4bench_compare.noise import Comparison, compare

# Figures of the runs of one lock.
Run = Callable[[Lock], Sequence[float]]


class BisectError(Exception):
    """The difference cannot be traced; the message says why."""


@dataclass(frozen=True)
class Trial:
    """One mix that was run."""

    applied: tuple[Entry, ...]
    values: tuple[float, ...]
    shows: bool


@dataclass(frozen=True)
class Bisection:
    """What came out.

    Attributes:
        culprits: together they make the difference, and without any of them it is gone.
        comparison: bad against good, as run here.
        trials: every mix that was run, in order.
    """

    culprits: tuple[Entry, ...]
    comparison: Comparison
    trials: tuple[Trial, ...]

    def __str__(self) -> str:
        names = ", ".join(map(str, self.culprits))
        return f"{names} (of {len(self.trials)} mixes run; {100 * self.comparison.change:+.1f} %)"


@dataclass
class _Judge:
    """Runs mixes and says on which side of the middle they fall."""

    good: Lock
    run: Run
    middle: float
    rises: bool
    trials: list[Trial] = field(default_factory=list)

    def __call__(self, applied: tuple[Entry, ...]) -> bool:
        values = tuple(self.run(mixed(self.good, applied)))
        if not values:
            # a mix that cannot run tells nothing about the difference
            self.trials.append(Trial(applied, (), shows=False))
            return False
        shows = (math.log(statistics.median(values)) > self.middle) == self.rises
        self.trials.append(Trial(applied, values, shows))
        return shows


def bisect(good: Lock, bad: Lock, run: Run, *, higher_is_better: bool = True) -> Bisection:
    """Find the entries of the lock difference that make the result differ.

    Args:
        good, bad: locks as plain values.
        run: runs a lock, a few times for the noise's sake, and gives the figures; none where the lock cannot be run.

    Raises:
        BisectError: the locks do not differ in anything that can be mixed, or their results do not differ here.
    """
    found = entries(good, bad)
    if not found:
        raise BisectError("the two locks ask for the same with the same packages: nothing can be mixed")
    before, after = tuple(run(good)), tuple(run(mixed(good, found)))
    if not before or not after:
        raise BisectError(
            f"{'the good lock' if not before else 'the good lock with all differences'} cannot be run here"
        )
    comparison = compare(before, after, higher_is_better=higher_is_better)
    if comparison.low is None:
        raise BisectError("one run of each tells nothing about noise: --repeats=3 or more")
    if not comparison.beyond_noise:
        raise BisectError(
            f"with all {len(found)} differences the result changes by {100 * comparison.change:+.1f} %, "
            "which is within noise: the cause is none of them"
        )
    middle = (math.log(comparison.a) + math.log(comparison.b)) / 2
    judge = _Judge(good, run, middle, rises=comparison.change > 0)
    culprits = ddmin(found, judge)
    return Bisection(culprits, comparison, tuple(judge.trials))


def as_data(found: Bisection) -> dict[str, Any]:
    """For programs."""
    return {
        "culprits": [str(one) for one in found.culprits],
        "change": found.comparison.change,
        "trials": [
            {"applied": [str(one) for one in trial.applied], "values": list(trial.values), "shows": trial.shows}
            for trial in found.trials
        ],
    }
