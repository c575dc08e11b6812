"""Comparisons in words."""

from __future__ import annotations

from cm4bench_compare.noise import Comparison

_TIMES = ("ms", "s", "us", "µs", "ns", "min", "latency (ms)", "latency (s)", "latency (us)")


def sentence(found: Comparison, b: str = "B", unit: str = "", metric: str = "it") -> str:
    """One sentence: how much, in which direction, how sure, from how many runs.

    ``B is 4.1 % ± 0.8 % faster, beyond noise (95 % confidence, 5 and 5 runs)``
    """
    size = f"{abs(100 * found.change):.1f} %"
    runs = f"{found.runs_a} and {found.runs_b} runs"
    if found.low is None or found.high is None:
        return f"{b} is {size} {_direction(found, unit, metric)}, which may be noise: {found.method}"
    margin = f"± {100 * max(found.high - found.change, found.change - found.low):.1f} %"
    if not found.beyond_noise:
        return f"no difference beyond noise: {b} is {100 * found.change:+.1f} % {margin} ({runs})"
    sure = f"({100 * found.confidence:g} % confidence, {runs})"
    return f"{b} is {size} {margin} {_direction(found, unit, metric)}, beyond noise {sure}"


def _direction(found: Comparison, unit: str, metric: str) -> str:
    word = unit.strip().lower()
    is_better = (found.change > 0) == found.higher_is_better
    if word.endswith("/s"):
        return "faster" if is_better else "slower"
    way = "higher" if found.change > 0 else "lower"
    if word in _TIMES:
        return f"{way} in {metric}, so {'faster' if is_better else 'slower'}"
    return f"{way} in {metric}, which is {'better' if is_better else 'worse'}"
