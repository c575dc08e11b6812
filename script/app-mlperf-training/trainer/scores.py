"""The summary of a series of runs: MLPerf's score, and the spread over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

import msgspec

from trainer import olympic, rulesets
from trainer.result import TrainResult


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, one per run in the order of the seeds (None: the target was not reached).

    ``score_s`` is MLPerf's olympic mean where the rules' number of runs is there, else the plain mean; ``remark`` says
    which, or why there is none.
    """

    benchmark: str
    dataset: str
    tier: str
    runs: int
    reached: int
    times_s: tuple[float | None, ...]
    qualities: tuple[float | None, ...]
    epochs: tuple[int, ...]
    score_s: float | None
    official: bool
    remark: str
    mean_s: float | None
    deviation_s: float | None


def summary(results: Sequence[TrainResult]) -> Summary:
    """Of one or more runs of the same configuration."""
    first = results[0]
    times = tuple(one.time_to_train_s for one in results)
    known = [time for time in times if time is not None]
    score = olympic.score(times, rulesets.of(first.benchmark))
    return Summary(
        benchmark=first.benchmark,
        dataset=first.dataset,
        tier=first.tier,
        runs=len(results),
        reached=len(known),
        times_s=times,
        qualities=tuple(one.quality.value for one in results),
        epochs=tuple(one.epochs for one in results),
        score_s=score.seconds,
        official=score.is_official and first.tier == "full",
        remark=score.why_not,
        mean_s=fmean(known) if known else None,
        deviation_s=stdev(known) if len(known) > 1 else None,
    )
