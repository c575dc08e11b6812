"""How much a figure varies by itself, and whether two sets of runs differ by more.

Figures of performance vary in proportion to their size, so all is done with logarithms: a difference of logarithms is
a ratio, and its standard deviation a relative one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["better", "worse", "same", "unknown"]
CONFIDENCE = 0.95
# The bootstrap needs so many runs of each before its intervals are wide enough (Davison & Hinkley, 1997, §5.4).
BOOTSTRAP_FROM = 10
_RESAMPLES = 4999
_SEED = 20260101  # the same runs give the same words


@dataclass(frozen=True)
class Noise:
    """Noise of one metric, learnt from repeats of many configurations.

    Attributes:
        sigma: standard deviation of the logarithm: 0.01 is about 1 %.
        degrees: of freedom; how much sigma is worth beside the repeats that are compared.
        groups: sets of repeats that it was learnt from.
    """

    sigma: float
    degrees: float
    groups: int = 1


@dataclass(frozen=True)
class Comparison:
    """B against A.

    Attributes:
        a, b: typical values (geometric means). runs_a, runs_b: how many there were.
        change: B/A - 1. low, high: its interval at ``confidence``; None where nothing is known about the noise.
        method: how the interval was made.
    """

    a: float
    b: float
    runs_a: int
    runs_b: int
    change: float
    low: float | None
    high: float | None
    confidence: float
    method: str
    higher_is_better: bool

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval excludes no change at all."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def verdict(self) -> Verdict:
        if self.low is None:
            return "unknown"
        if not self.beyond_noise:
            return "same"
        return "better" if (self.change > 0) == self.higher_is_better else "worse"


def learn(groups: Iterable[Sequence[float]]) -> Noise | None:
    """What sets of repeats, each of one and the same configuration, tell about another set; None without any repeat.

    Configurations differ in their noise, so the sets are not simply pooled: one that was disturbed would widen the
    interval of all. Their variances are taken for draws from a scaled inverse chi-square distribution, fitted by the
    moments of the logarithms (Smyth, 2004, Stat. Appl. Genet. Mol. Biol. 3:3, §6.2). The more they differ among
    themselves, the fewer degrees their common value is worth beside a set's own repeats.

    Raises:
        ValueError: a figure is not positive.
    """
    known = [(_squares(_logs(values)), len(values) - 1) for values in groups if len(values) > 1]
    degrees = sum(one for _, one in known)
    if not degrees:
        return None
    scale, worth = _common([squares / one for squares, one in known], [one for _, one in known])
    return Noise(math.sqrt(scale), min(worth, degrees), len(known))


def _common(variances: list[float], degrees: list[int]) -> tuple[float, float]:
    """Common variance of sets, and the degrees that it is worth; endless where they differ no more than by chance."""
    from scipy import special

    pooled = sum(one * many for one, many in zip(variances, degrees, strict=True)) / sum(degrees)
    least = statistics.median(variances) * 1e-5  # equal runs have no logarithm of a variance
    if len(variances) < 2 or not least:
        return pooled, math.inf
    halves = [many / 2 for many in degrees]
    centred = [
        math.log(max(one, least)) - special.digamma(half) + math.log(half)
        for one, half in zip(variances, halves, strict=True)
    ]
    excess = statistics.variance(centred) - statistics.fmean(special.polygamma(1, half) for half in halves)
    if excess <= 0:
        return pooled, math.inf
    half = _inverse_trigamma(excess)
    return math.exp(statistics.fmean(centred) + special.digamma(half) - math.log(half)), 2 * half


def _inverse_trigamma(value: float) -> float:
    from scipy import optimize, special

    # 1/y < trigamma(y) < 1/y + 1/y²
    high = (1 + math.sqrt(1 + 4 * value)) / (2 * value)
    return float(optimize.brentq(lambda y: float(special.polygamma(1, y)) - value, 1 / value, high))


def compare(
    a: Sequence[float],
    b: Sequence[float],
    *,
    higher_is_better: bool = True,
    noise: Noise | None = None,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare runs of B with runs of A.

    With ten runs of each and more, the interval is a BCa bootstrap's (Efron, 1987); with fewer it is Student's, whose
    variance is pooled from both and, by its degrees, from ``noise``.

    Args:
        a, b: figures of at least one run each, all positive.
        noise: what is known from other repeats of the same metric.

    Raises:
        ValueError: no figure, or one that is not positive.
    """
    logs_a, logs_b = _logs(a), _logs(b)
    difference = statistics.fmean(logs_b) - statistics.fmean(logs_a)
    half, method = _interval(logs_a, logs_b, noise, confidence)
    return Comparison(
        a=math.exp(statistics.fmean(logs_a)),
        b=math.exp(statistics.fmean(logs_b)),
        runs_a=len(a),
        runs_b=len(b),
        change=math.expm1(difference),
        low=math.expm1(half[0]) if half else None,
        high=math.expm1(half[1]) if half else None,
        confidence=confidence,
        method=method,
        higher_is_better=higher_is_better,
    )


_Range = tuple[float, float]


def _interval(a: list[float], b: list[float], noise: Noise | None, confidence: float) -> tuple[_Range | None, str]:
    if min(len(a), len(b)) >= BOOTSTRAP_FROM:
        found = _bootstrap(a, b, confidence)
        if found:
            return found, "bootstrap"
    return _student(a, b, noise, confidence)


def _bootstrap(a: list[float], b: list[float], confidence: float) -> _Range | None:
    """None where all runs are alike, so that there is nothing to draw from."""
    if len(set(a)) == 1 or len(set(b)) == 1:
        return None
    import numpy
    from scipy import stats

    def difference(one: numpy.ndarray, other: numpy.ndarray, axis: int = -1) -> numpy.ndarray:
        return numpy.asarray(numpy.mean(one, axis=axis) - numpy.mean(other, axis=axis))

    found = stats.bootstrap(
        (numpy.array(b), numpy.array(a)),
        difference,
        n_resamples=_RESAMPLES,
        confidence_level=confidence,
        method="BCa",
        vectorized=True,
        rng=_SEED,
    ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _student(a: list[float], b: list[float], noise: Noise | None, confidence: float) -> tuple[_Range | None, str]:
    degrees, squares = float(len(a) + len(b) - 2), _squares(a) + _squares(b)
    if noise is not None:
        degrees, squares = degrees + noise.degrees, squares + noise.degrees * noise.sigma**2
    if degrees == 0:
        return None, "single runs, and no repeats to learn the noise from"
    from scipy import stats

    error = math.sqrt(squares / degrees * (1 / len(a) + 1 / len(b)))
    half = float(stats.t.ppf((1 + confidence) / 2, degrees)) * error
    middle = statistics.fmean(b) - statistics.fmean(a)
    return (
        middle - half,
        middle + half,
    ), "Student" if noise is None else f"Student, with noise of {noise.groups} repeats"


def _squares(values: Sequence[float]) -> float:
    middle = statistics.fmean(values)
    return sum((value - middle) ** 2 for value in values)


def _logs(values: Sequence[float]) -> list[float]:
    if not values or not all(math.isfinite(value) and value > 0 for value in values):
        raise ValueError(f"only positive figures can be compared, not {list(values)[:5]}")
    return [math.log(value) for value in values]
