"""Settings of the measured run: seeds, samples, duration, and the number that is submitted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from mlperf_checker import figures
from mlperf_checker.context import ResultFolder, Run
from mlperf_checker.findings import severity
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule
from mlperf_checker.rules.userconf import says

SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
_INFERABLE = (("SingleStream", "MultiStream"), ("MultiStream", "Offline"), ("SingleStream", "Offline"))


@rule("performance-samples", ResultFolder)
def performance_samples(result: ResultFolder) -> Iterable[Objection]:
    """Enough different samples were held in memory."""
    yield from enough_samples(result, result.performance)


def enough_samples(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """performance_sample_count of a run reaches the round's."""
    if isinstance(run.log, Unreadable) or result.benchmark is None or result.is_endpoints:
        return
    held, needed = run.log.number("effective_performance_sample_count"), result.benchmark.performance_samples
    if held is None or held < needed:
        cause = f"performance_sample_count is {_said(held)}, {result.benchmark.name} needs at least {needed}"
        yield Objection(
            run.log_path, cause, f"set performance_sample_count_override = {needed} in user.conf, run again"
        )


@rule("seeds", ResultFolder)
def seeds(result: ResultFolder) -> Iterable[Objection]:
    """The random numbers were those of the round."""
    yield from right_seeds(result, result.performance)


def right_seeds(result: ResultFolder, run: Run, expected: Any = None) -> Iterable[Objection]:
    """The seeds of a run are the round's, or others that are expected."""
    if isinstance(run.log, Unreadable) or run.log.foreign:
        return
    from mlperf_checker import roundfiles

    expected = expected or result.submission.round.seeds
    seen = {key: run.log.get(f"effective_{key}") for key in SEEDS}
    wrong = [key for key in SEEDS if seen[key] != getattr(expected, key)]
    if not wrong:
        return
    cause = "; ".join(f"{key} is {seen[key]}, expected {getattr(expected, key)}" for key in wrong)
    other = roundfiles.of_seeds({key: value for key, value in seen.items() if isinstance(value, int)})
    remedy = (
        f"these are the seeds of {other.name}: check with --version {other.name}, or run with another loadgen"
        if other
        else f"run with the loadgen of {result.submission.round.name} and do not set seeds"
    )
    yield Objection(run.log_path, cause, remedy)


@rule("duration", ResultFolder)
def duration(result: ResultFolder) -> Iterable[Objection]:
    """The run was meant to take as long as it must, in every division."""
    yield from long_enough(result, result.performance)


def long_enough(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """min_duration of a run reaches the round's."""
    if isinstance(run.log, Unreadable) or result.benchmark is None:
        return
    set_to, needed = run.log.number("effective_min_duration_ms"), result.benchmark.min_duration_ms or 0
    if set_to is None or set_to < needed:
        cause = f"min_duration is {_said(set_to)} ms, {needed} ms are needed"
        yield Objection(run.log_path, cause, f"set min_duration = {needed} in user.conf, run again")


@rule("query-count", ResultFolder)
def query_count(result: ResultFolder) -> Iterable[Objection]:
    """Without early stopping: enough queries were asked for."""
    yield from enough_queries(result, result.performance)


def enough_queries(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """min_query_count of a run reaches the round's, where early stopping does not decide."""
    scenario = result.measured_scenario
    if isinstance(run.log, Unreadable) or result.benchmark is None or scenario is None or result.is_endpoints:
        return
    one = cast("dict[str, Any]", result.submission.round.scenarios).get(scenario)
    needed = cast("dict[str, int]", result.benchmark.min_queries_by).get(scenario, 0)
    if one is None or one.early_stopping or not needed:
        return
    asked = run.log.number("effective_min_query_count")
    if asked is None or asked < needed:
        cause = f"min_query_count is {_said(asked)}, {needed} are needed"
        yield Objection(run.log_path, cause, f"set min_query_count = {needed} in user.conf, run again")


@rule("offline-samples", ResultFolder)
def offline_samples(result: ResultFolder) -> Iterable[Objection]:
    """Offline: the one query was large enough. Upstream insists on it in closed; until v4.1 everywhere."""
    yield from large_query(result, result.performance)


def large_query(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """Samples of an Offline query reach the round's."""
    if isinstance(run.log, Unreadable) or result.benchmark is None or result.measured_scenario != "Offline":
        return
    size, needed = run.log.number("effective_samples_per_query"), result.benchmark.offline_min_samples or 0
    if size is None or size < needed:
        cause = f"the Offline query had {_said(size)} samples, {result.benchmark.name} needs at least {needed}"
        yield Objection(run.log_path, cause, f"set min_query_count = {needed} for Offline in user.conf, run again")


@rule("equal-issue", ResultFolder)
def equal_issue(result: ResultFolder) -> Iterable[Objection]:
    """Closed and network: every sample was issued equally often, where samples differ in size."""
    log, benchmark = result.performance.log, result.benchmark
    if isinstance(log, Unreadable) or benchmark is None or not benchmark.equal_issue or not result.is_closed:
        return
    key = "sample_concatenate_permutation"
    if log.get(f"effective_{key}") in (True, "true") or says(result, key, "1"):
        return
    cause = f"{key} was off, {benchmark.name} needs it"
    weight = severity(severe=not result.submission.is_since("v5.0"))
    yield Objection(result.performance.log_path, cause, f"set {key} = 1 in user.conf, run again", severity=weight)


@rule("inferred", ResultFolder)
def inferred(result: ResultFolder) -> Iterable[Objection]:
    """A log of another scenario may stand here only where results may be computed from it."""
    measured, named = result.measured_scenario, result.scenario
    if measured is None or named is None or not result.is_inferred:
        return
    path = result.performance.log_path
    if (measured, named) not in _INFERABLE:
        cause = f"the log is of {measured}; no {named} result can be computed from it"
        yield Objection(path, cause, f"put the log of a {named} run here")
    elif "edge" not in (result.system.category or ""):
        cause = f"the log is of {measured}; results are computed from other scenarios for edge systems only"
        yield Objection(path, cause, f"run {named}, and put its log here")


@rule("figure", ResultFolder)
def figure(result: ResultFolder) -> Iterable[Objection]:
    """The log has the number that is submitted."""
    log = result.performance.log
    if isinstance(log, Unreadable) or log.foreign or not log.finished or result.is_endpoints:
        return
    if result.benchmark is None or result.measured_scenario is None or result.scenario is None:
        return
    found = figures.performance(result)
    if found is None:
        key = figures.key(result) or "the result"
        yield Objection(result.performance.log_path, f"the log has no usable {key}", "run again to the end")


def _said(value: float | None) -> str:
    return "not in the log" if value is None else f"{value:g}"


@rule("run-scenario", ResultFolder)
def run_scenario(result: ResultFolder) -> Iterable[Objection]:
    """The log names a scenario that loadgen has."""
    log = result.performance.log
    if isinstance(log, Unreadable) or log.foreign or not log.finished or result.measured_scenario is not None:
        return
    cause = f"the log names the scenario {log.scenario!r}, which does not exist"
    yield Objection(result.performance.log_path, cause, "put the log of a finished run here")
