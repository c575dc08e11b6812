"""Logs as loadgen writes them: the keys, order and shape of a real detail log and summary, with given values."""

from __future__ import annotations

import json
from typing import Any

from mlperf_checker import roundfiles

SECOND_NS = 1_000_000_000
WHEN = "2026-03-01T10:00:00Z"
BEGIN, END = "03-01-2026 10:00:05.000", "03-01-2026 10:10:15.000"
LATENCY_NS = 5_000_000
COUNT = 122_000

# result keys of each scenario, beside those that all have
_OF_SCENARIO: dict[str, dict[str, Any]] = {
    "SingleStream": {
        "early_stopping_latency_ss": 5_100_000,
        "early_stopping_latency_ms": 5_600_000,
        "result_qps_with_loadgen_overhead": 199.2,
        "result_qps_without_loadgen_overhead": 200.0,
    },
    "MultiStream": {
        "early_stopping_latency_ms": 40_500_000,
        "result_99.00_percentile_per_query_latency_ns": 40_400_000,
        "result_mean_query_latency_ns": 40_000_000,
    },
    "Offline": {"result_samples_per_second": 200.5, "result_tokens_per_second": 2005.5},
    "Server": {
        "result_scheduled_samples_per_sec": 50.2,
        "result_completed_samples_per_sec": 50.1,
        "result_completed_tokens_per_second": 501.5,
        "result_first_token_99.00_percentile_latency_ns": 400_000_000,
        "result_time_per_output_token_99.00_percentile_ns": 20_000_000,
    },
}
_PER_QUERY = {"SingleStream": 1, "MultiStream": 8, "Server": 1}
_PERCENTILE = {"SingleStream": 0.9, "MultiStream": 0.99, "Server": 0.99, "Offline": 0.99}


def values(version: str, benchmark: str, scenario: str, mode: str = "PerformanceOnly") -> dict[str, Any]:
    """Keys of the log of a good run. `scenario` is loadgen's: Server for Interactive."""
    round_ = roundfiles.load(version)
    rules = round_.benchmark(benchmark)
    limits = rules.limits_by.get(scenario)
    latency = int((limits.latency_ms if limits and limits.latency_ms else 0) * 1e6)
    performance = mode == "PerformanceOnly"
    found: dict[str, Any] = {
        "loadgen_version": "6.0.17 @ d6147c7eb7",
        "loadgen_build_date_utc": "2026-02-01T17:39:47.375453",
        "loadgen_git_status_message": "",
        "loadgen_file_sha1": {"/.clang-format": "012aad77e5206c89d50718c46c119d1f3cb056b2"},
        "test_datetime": WHEN,
        "sut_name": "PyFastSUT",
        "qsl_name": "PyQSL",
        "qsl_reported_total_count": rules.accuracy_samples(scenario),
        "qsl_reported_performance_count": rules.performance_samples,
        "requested_scenario": scenario,
        "requested_test_mode": mode,
        "requested_use_token_latencies": rules.tokens == "measured",
        "effective_scenario": scenario,
        "effective_test_mode": mode,
        "effective_samples_per_query": _PER_QUERY.get(scenario, max(rules.offline_min_samples or 1, COUNT)),
        "effective_target_latency_ns": latency,
        "effective_target_latency_percentile": _PERCENTILE[scenario],
        "effective_min_duration_ms": 600000,
        "effective_min_query_count": 1 if scenario == "Offline" else 1024,
        "effective_accuracy_log_rng_seed": 0,
        "effective_accuracy_log_sampling_target": 0,
        "effective_performance_issue_same": False,
        "effective_performance_sample_count": rules.performance_samples,
        "effective_accuracy_sample_count": rules.accuracy_samples(scenario),
        "effective_sample_concatenate_permutation": rules.equal_issue,
        "generic_message": f"Starting {'performance' if performance else 'accuracy'} mode",
        "loaded_qsl_set": list(range(64)),
    }
    found |= {f"effective_{key}": getattr(round_.seeds, key) for key in round_.seeds.__struct_fields__}
    found |= {"power_begin": BEGIN, "power_end": END} if performance else {}
    if performance:
        found |= {
            "result_validity": "VALID",
            "result_min_duration_met": True,
            "result_min_queries_met": True,
            "early_stopping_met": True,
            "early_stopping_result": "",
            "result_query_count": 1 if scenario == "Offline" else COUNT,
            "result_min_latency_ns": LATENCY_NS // 2,
            "result_max_latency_ns": LATENCY_NS * 2,
            "result_mean_latency_ns": LATENCY_NS,
            "result_90.00_percentile_latency_ns": 5_050_000,
            "result_99.00_percentile_latency_ns": 5_500_000,
            **_OF_SCENARIO[scenario],
        }
    return found | {"power_end": END, "num_errors": 0}


def entry(key: str, value: Any, *, is_error: bool = False) -> str:
    """One line of a detail log."""
    data = {
        "key": key,
        "value": value,
        "time_ms": 0.005478,
        "namespace": "mlperf::logging",
        "event_type": "POINT_IN_TIME",
        "metadata": {
            "is_error": is_error,
            "is_warning": False,
            "file": "loadgen.cc",
            "line_no": 53,
            "pid": 24771,
            "tid": 24771,
        },
    }
    return f":::MLLOG {json.dumps(data)}"


def detail(keys: dict[str, Any]) -> str:
    """A detail log."""
    return "".join(entry(key, value) + "\n" for key, value in keys.items())


def summary(keys: dict[str, Any]) -> str:
    """The summary that goes with a detail log; an accuracy run has hardly any."""
    end = "\nNo warnings encountered during test.\n\nNo errors encountered during test.\n"
    if keys["effective_test_mode"] != "PerformanceOnly":
        return end
    line = "=" * 48
    return f"""{line}
MLPerf Results Summary
{line}
SUT name : {keys["sut_name"]}
Scenario : {keys["effective_scenario"]}
Mode     : PerformanceOnly
Result is : {keys["result_validity"]}
  Min duration satisfied : Yes

{line}
Additional Stats
{line}
Min latency (ns)                : {keys["result_min_latency_ns"]}
Max latency (ns)                : {keys["result_max_latency_ns"]}
Mean latency (ns)               : {keys["result_mean_latency_ns"]}

{line}
Test Parameters Used
{line}
min_duration (ms): {keys["effective_min_duration_ms"]}
qsl_rng_seed : {keys["effective_qsl_rng_seed"]}
performance_sample_count : {keys["effective_performance_sample_count"]}
{end}"""
