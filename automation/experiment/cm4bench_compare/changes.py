"""Where a history of one figure changed its level.

The levels are found by optimal segmentation of the logarithms, with the penalty of Yao (1988, *Statistics &
Probability Letters* 6), by the library ruptures. Each change is then held against Student's test at 0.001, as Hunter
does (Fleming et al., ICPE 2023), because a segmentation always finds something.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

SIGNIFICANCE = 0.001
# Changes below this are no news, however sure they are.
SMALLEST = 0.005
SHORTEST = 2
FEWEST = 4
# Normal consistency of the median absolute deviation.
_MAD = 1.4826


@dataclass(frozen=True)
class ChangePoint:
    """The level changed at ``index``, the first value of the new one.

    Attributes:
        before, after: levels (geometric means of the segments).
        p: how likely such a difference is without a change; None for the newest value, which stands alone.
        newest: only the last value is off, by more than its predecessors predict at 99 %.
    """

    index: int
    before: float
    after: float
    p: float | None
    newest: bool = False

    @property
    def change(self) -> float:
        """after/before - 1."""
        return self.after / self.before - 1


def detect(values: Sequence[float], significance: float = SIGNIFICANCE) -> list[ChangePoint]:
    """All changes of level, oldest first; at least four values are needed.

    Raises:
        ValueError: a value is not positive.
    """
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise ValueError("a history needs positive figures")
    logs = [math.log(value) for value in values]
    if len(logs) < FEWEST:
        return []
    edges = _confirmed(logs, _segments(logs), significance)
    found = [_point(logs, *edges[at - 1 : at + 2]) for at in range(1, len(edges) - 1)]
    return [*found, *_newest(logs, edges[-2])]


def _segments(logs: list[float]) -> list[int]:
    """Edges of the segments, from 0 to the end."""
    import numpy
    import ruptures

    penalty = 2 * _spread(logs) ** 2 * math.log(len(logs))
    signal = numpy.array(logs).reshape(-1, 1)
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST).fit(signal)
    return [0, *(int(edge) for edge in search.predict(pen=max(penalty, 1e-12)))]


def _spread(logs: list[float]) -> float:
    """Standard deviation within segments: from differences of neighbours, which a change of level hardly touches."""
    steps = [abs(later - earlier) for earlier, later in itertools.pairwise(logs)]
    return _MAD * statistics.median(steps) / math.sqrt(2)


def _confirmed(logs: list[float], edges: list[int], significance: float) -> list[int]:
    """Edges without the weakest ones, removed one by one: two segments that do not differ are one."""
    edges = list(edges)
    while len(edges) > 2:
        weakest = max(range(1, len(edges) - 1), key=lambda at: _p(logs, *edges[at - 1 : at + 2]))
        before, here, after = edges[weakest - 1 : weakest + 2]
        small = abs(math.expm1(_mean(logs, here, after) - _mean(logs, before, here))) < SMALLEST
        if _p(logs, before, here, after) < significance and not small:
            break
        del edges[weakest]
    return edges


def _p(logs: list[float], begin: int, here: int, end: int) -> float:
    from scipy import stats

    one, other = logs[begin:here], logs[here:end]
    if max(one) == min(one) and max(other) == min(other):
        return 0.0 if one[0] != other[0] else 1.0
    return float(stats.ttest_ind(one, other).pvalue)


def _point(logs: list[float], begin: int, here: int, end: int) -> ChangePoint:
    before, after = math.exp(_mean(logs, begin, here)), math.exp(_mean(logs, here, end))
    return ChangePoint(here, before, after, _p(logs, begin, here, end))


def _newest(logs: list[float], begin: int) -> list[ChangePoint]:
    """The last value against the prediction interval of the others on its level."""
    from scipy import stats

    earlier, last = logs[begin:-1], logs[-1]
    if len(earlier) < FEWEST:
        return []
    middle, deviation = statistics.fmean(earlier), statistics.stdev(earlier)
    reach = float(stats.t.ppf(0.995, len(earlier) - 1)) * deviation * math.sqrt(1 + 1 / len(earlier))
    if abs(last - middle) <= max(reach, math.log1p(SMALLEST)):
        return []
    return [ChangePoint(len(logs) - 1, math.exp(middle), math.exp(last), None, newest=True)]


def _mean(logs: list[float], begin: int, end: int) -> float:
    return statistics.fmean(logs[begin:end])
