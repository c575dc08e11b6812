"""Runs one configuration of an experiment again and holds the new figure against the repeats that are known."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """A new value against earlier ones. ``low`` and ``high`` bound where one more value is expected."""

    old: tuple[float, ...]
    new: float
    low: float | None
    high: float | None

    @property
    def reproduced(self) -> bool | None:
        """Whether the new value is where it is expected; None where two repeats are lacking to tell."""
        return None if self.low is None or self.high is None else self.low <= self.new <= self.high

    def words(self, unit: str) -> str:
        """The comparison as a sentence."""
        middle = statistics.fmean(self.old)
        change = 100 * (self.new / middle - 1) if middle else 0.0
        head = f"{self.new:.4g} {unit}, {change:+.1f} % from the mean of {len(self.old)} ({middle:.4g})"
        if self.reproduced is None:
            return f"{head}; one value has no spread to judge by: --repeat=3"
        word = "reproduced" if self.reproduced else "NOT reproduced"
        return f"{word}: {head}; expected {self.low:.4g} to {self.high:.4g} ({CONFIDENCE:.0%} prediction interval)"


def compare(old: Sequence[float], new: float) -> Comparison:
    """The prediction interval of a normal sample for one further value (mean ± t·s·√(1+1/n))."""
    if len(old) < 2:
        return Comparison(tuple(old), new, None, None)
    from cm4bench_database.extras import need

    need("scipy")
    from scipy import stats

    middle, spread, n = statistics.fmean(old), statistics.stdev(old), len(old)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread * (1 + 1 / n) ** 0.5
    return Comparison(tuple(old), new, middle - reach, middle + reach)
