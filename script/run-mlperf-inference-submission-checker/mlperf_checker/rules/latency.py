"""Latency: early stopping, limits, times of tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from mlperf_checker.context import ResultFolder, Run
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule

_NS_PER_MS = 1_000_000
_TOKEN_TIMES = (
    ("ttft_ms", "time to first token", "result_first_token_99.00_percentile_latency_ns"),
    ("tpot_ms", "time per output token", "result_time_per_output_token_99.00_percentile_ns"),
)


@rule("early-stopping", ResultFolder)
def early_stopping(result: ResultFolder) -> Iterable[Objection]:
    """There were enough queries for the percentile. Until v4.1 this was a remark only."""
    for one in stopped_early(result, result.performance):
        severe = result.submission.is_since("v5.0")
        yield one if severe else Objection(one.path, one.cause, one.remedy, severity="warning")


def stopped_early(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """Early stopping was met in a run, in scenarios that use it."""
    if isinstance(run.log, Unreadable) or not run.log.finished or not _uses_early_stopping(result):
        return
    if run.log.get("early_stopping_met") is not True:
        advice = " ".join(run.log.text("early_stopping_result").replace("*", "").split())
        cause = f"too few queries for the percentile{f': {advice[:120]}' if advice else ''}"
        yield Objection(run.log_path, cause, "raise min_query_count or min_duration in user.conf, run again")


@rule("latency-limit", ResultFolder)
def latency_limit(result: ResultFolder) -> Iterable[Objection]:
    """The limit that loadgen judged by is not above the round's; elsewhere the measured percentile is not."""
    yield from within_limit(result, result.performance)


def within_limit(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """The latency of a run keeps the round's limit."""
    limits = result.limits()
    if isinstance(run.log, Unreadable) or limits is None or result.is_inferred:
        return
    limit = limits.checker_latency_ms or limits.latency_ms
    if not limit:
        return
    judged = _uses_early_stopping(result)
    key = "effective_target_latency_ns" if judged else "result_99.00_percentile_latency_ns"
    found = run.log.number(key)
    if found is None or found > limit * _NS_PER_MS:
        said = "not in the log" if found is None else f"{found / _NS_PER_MS:g} ms"
        what = "the latency limit that loadgen was given" if judged else "the 99th percentile of the latency"
        cause = f"{what} is {said}, {limit:g} ms are allowed"
        yield Objection(run.log_path, cause, "do not set target_latency for this scenario, run again")


@rule("token-latencies", ResultFolder)
def token_latencies(result: ResultFolder) -> Iterable[Objection]:
    """Language models: loadgen was told to measure tokens."""
    log, benchmark = result.performance.log, result.benchmark
    if isinstance(log, Unreadable) or benchmark is None or benchmark.tokens != "measured" or result.is_endpoints:
        return
    # whisper counts tokens, and upstream does not ask it for their times
    if benchmark.name != "whisper" and log.get("requested_use_token_latencies") not in (True, "true", 1):
        cause = f"use_token_latencies was off, {benchmark.name} needs it"
        yield Objection(result.performance.log_path, cause, "set use_token_latencies = 1 in user.conf, run again")


@rule("token-times", ResultFolder)
def token_times(result: ResultFolder) -> Iterable[Objection]:
    """Language models in Server and Interactive: tokens came in time."""
    log, limits = result.performance.log, result.limits()
    if isinstance(log, Unreadable) or limits is None or result.scenario not in ("Server", "Interactive"):
        return
    for name, what, key in _TOKEN_TIMES:
        limit = getattr(limits, name)
        found = log.number(key)
        if limit and (found is None or found >= limit * _NS_PER_MS):
            said = "not in the log" if found is None else f"{found / _NS_PER_MS:g} ms"
            cause = f"the 99th percentile of the {what} is {said}, less than {limit:g} ms is needed"
            yield Objection(result.performance.log_path, cause, "run again with a lower target_qps")


def _uses_early_stopping(result: ResultFolder) -> bool:
    rules = cast("dict[str, Any]", result.submission.round.scenarios)
    one = rules.get(result.measured_scenario or "")
    return bool(one and one.early_stopping)
