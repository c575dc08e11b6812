"""What a round's checker would object to in one run, read off the run's own log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from harness import rounds
from harness.rounds.benchmark import Benchmark
from harness.rounds.round import Round
from harness.rounds.values import Limits
from harness.rounds.words import did_you_mean

NS_PER_MS = 1_000_000

Log = Mapping[str, Any]  # last value of each key of mlperf_log_detail.txt

_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


def objections(conf: str, scenario: str, log: Log) -> tuple[str, ...]:
    """Reasons why the run could not be part of a submission, none for a run that could.

    Args:
        conf: the benchmark's name as loadgen was given it.
        scenario: of the run; Interactive may be called Server, as loadgen does.
        log: keys and values of the detail log. Its seeds choose the round.

    Raises:
        HarnessError: kind `config`, for a round file with a mistake in it.
    """
    found = rounds.of_seeds({key: log.get(f"effective_{key}", 0) for key in _SEEDS})
    if found is None:
        seed = log.get("effective_qsl_rng_seed")
        return (f"its seeds (qsl_rng_seed {seed}) belong to none of the known rounds: {', '.join(rounds.names())}",)
    benchmarks = found.with_conf(conf)
    if not benchmarks:
        return (_unknown(found, conf),)
    official = "Interactive" if conf == benchmarks[0].interactive_conf else scenario
    benchmark = next((one for one in benchmarks if official in one.scenarios()), benchmarks[0])
    return tuple(_all(found, benchmark, official, log))


def _unknown(found: Round, conf: str) -> str:
    """Why loadgen's mlperf.conf has nothing for this name, although a checker may know it."""
    known = found.find(conf)
    if known is not None and known.conf:
        return f"loadgen knows {known.name} as {known.conf!r}, not as {conf!r}: it used none of its settings"
    if others := [one.name for one in rounds.all_rounds() if one.with_conf(conf)]:
        return f"{found.name} has no benchmark {conf!r}; {', '.join(others)} has it"
    names = [one.conf for one in found.benchmarks.values() if one.conf]
    return f"{found.name} has no benchmark that loadgen calls {conf!r}{did_you_mean(conf, names)}"


def _place(found: Round, benchmark: Benchmark, scenario: str) -> Iterator[str]:
    if scenario in benchmark.scenarios():
        return
    others = ", ".join(rounds.which_have(benchmark.name, scenario))
    elsewhere = f"; {others} has it" if others else ""
    has = ", ".join(benchmark.scenarios()) or "none"
    yield f"{scenario} is no scenario of {benchmark.name} in {found.name}'s closed division ({has}){elsewhere}"


def _all(found: Round, benchmark: Benchmark, scenario: str, log: Log) -> Iterator[str]:
    yield from _place(found, benchmark, scenario)
    if log.get("effective_test_mode") == "AccuracyOnly":
        yield from _coverage(found, benchmark, scenario, log)
        return
    yield from _length(found, benchmark, log)
    yield from _samples(found, benchmark, scenario, log)
    limits = cast(dict[str, Limits], benchmark.limits_by).get(scenario, Limits())
    yield from _latency(found, limits, log)
    yield from _tokens(found, benchmark, limits, log)


def _coverage(found: Round, benchmark: Benchmark, scenario: str, log: Log) -> Iterator[str]:
    # loadgen has the first key since 6.0
    covered = log.get("effective_accuracy_sample_count", log.get("qsl_reported_total_count", 0))
    needed = benchmark.accuracy_samples(scenario)
    if covered != needed:
        yield f"the accuracy run covers {covered} samples, {found.name} needs {benchmark.name}'s {needed}"


def _length(found: Round, benchmark: Benchmark, log: Log) -> Iterator[str]:
    shortest, needed = int(log.get("effective_min_duration_ms", 0)), benchmark.min_duration_ms or 0
    if shortest < needed:
        yield f"demonstration run: min_duration is {shortest} ms, {found.name} needs {needed} ms"


def _samples(found: Round, benchmark: Benchmark, scenario: str, log: Log) -> Iterator[str]:
    held = int(log.get("effective_performance_sample_count", 0))
    if held < benchmark.performance_samples:
        yield f"performance_sample_count is {held}, {found.name} needs {benchmark.performance_samples}"
    size, least = int(log.get("effective_samples_per_query", 0)), benchmark.offline_min_samples or 0
    if scenario == "Offline" and size < least:
        yield f"the Offline query has {size} samples, {found.name}'s closed division needs {least}"
    if benchmark.equal_issue and not log.get("effective_sample_concatenate_permutation"):
        yield f"sample_concatenate_permutation is off, {found.name} needs equal issue for {benchmark.name}"


def _latency(found: Round, limits: Limits, log: Log) -> Iterator[str]:
    used = 100 * float(log.get("effective_target_latency_percentile", 0))
    if limits.percentile and used < limits.percentile - 1e-6:
        yield f"latency percentile {used:g} instead of {limits.percentile:g}"
    limit, set_to = limits.checker_latency_ms or limits.latency_ms, float(log.get("effective_target_latency_ns", 0))
    if limit and set_to > limit * NS_PER_MS:
        yield f"the latency limit was set to {set_to / NS_PER_MS:g} ms, {found.name} allows {limit:g} ms"


def _tokens(found: Round, benchmark: Benchmark, limits: Limits, log: Log) -> Iterator[str]:
    if benchmark.tokens == "measured" and not log.get("requested_use_token_latencies"):
        yield f"use_token_latencies is off, {found.name} needs it for {benchmark.name}"
    for name, limit, key in (
        ("time to first token", limits.ttft_ms, "result_first_token_99.00_percentile_latency_ns"),
        ("time per output token", limits.tpot_ms, "result_time_per_output_token_99.00_percentile_ns"),
    ):
        if limit and not log.get(key, float("inf")) < limit * NS_PER_MS:
            seen = f"{log[key] / NS_PER_MS:.4g} ms" if key in log else "not in the log"
            yield f"the 99th percentile of the {name} is {seen}, {found.name} needs less than {limit:g} ms"
