"""MLPerf's score of several runs: the best and the worst do not count, the mean of the others does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean

from trainer.rulesets import Ruleset


@dataclass(frozen=True)
class Score:
    """What several runs of one benchmark say together.

    Attributes:
        seconds: mean of the runs that count; None where there is no score.
        counted, left_out: seconds of the runs that count and of those that do not, sorted; `inf` for a failed run.
        runs, needed: runs there are, and runs that MLPerf asks for.
        why_not: why there is no score, or why it is no official one; empty for an official one.
    """

    seconds: float | None
    counted: tuple[float, ...]
    left_out: tuple[float, ...]
    runs: int
    needed: int
    why_not: str = ""

    @property
    def is_official(self) -> bool:
        """The number of runs is the one that MLPerf asks for, and few enough failed."""
        return self.seconds is not None and not self.why_not


def score(seconds: Sequence[float | None], rules: Ruleset) -> Score:
    """Score of runs (training policies, section on results).

    With the full number of runs, `rules.drops` of the fastest and as many of the slowest are left out; a run that did
    not reach its target counts as the slowest of all, so more failed runs than that leave no score. With fewer runs
    nothing is left out and every run must have reached its target; the mean is then a figure, not a result.

    Args:
        seconds: time to train of each run; None for one that did not reach its target.
        rules: of the benchmark.
    """
    times = sorted(inf if one is None else one for one in seconds)
    failed, runs = times.count(inf), len(times)
    if runs < rules.runs:
        return _of_few(times, failed, rules)
    if failed > rules.drops:
        return _none(times, f"{failed} of {runs} runs did not reach the target, at most {rules.drops} may", rules)
    counted = times[rules.drops : runs - rules.drops]
    left_out = (*times[: rules.drops], *times[runs - rules.drops :])
    why_not = "" if runs == rules.runs else f"there are {runs} runs, the rules say exactly {rules.runs}"
    return Score(fmean(counted), tuple(counted), left_out, runs, rules.runs, why_not)


def _of_few(times: list[float], failed: int, rules: Ruleset) -> Score:
    if failed or not times:
        return _none(times, f"{failed} of {len(times)} runs did not reach the target" if times else "no runs", rules)
    why_not = f"{len(times)} of {rules.runs} runs: a plain mean, nothing left out"
    return Score(fmean(times), tuple(times), (), len(times), rules.runs, why_not)


def _none(times: list[float], why_not: str, rules: Ruleset) -> Score:
    return Score(None, (), tuple(times), len(times), rules.runs, why_not)
