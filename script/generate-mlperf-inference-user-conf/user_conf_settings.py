"""Which settings of user.conf a run needs, from the environment of a CM script.

Lengths of a valid run are the rules' own. Most of them stand in loadgen's built-in mlperf.conf and are left alone; what
it lacks comes from the round's data. A test run is a demonstration: it is cut to seconds, and everything that is
relaxed for that is written down in user.conf.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

from harness.rounds import Benchmark, Limits
from harness.search import trial_size

Env = Mapping[str, object]
Settings = dict[str, float]

TEST_MIN_DURATION_MS = 5_000
# A cap for slow machines: elsewhere the shortest duration and the number of queries end a run long before.
TEST_MAX_DURATION_S = 120.0
# Part of that cap for which queries are planned: the rest is for a model that is slower than it was thought to be.
TEST_SHARE_OF_CAP = 0.7
# Early stopping at the rules' 99th percentile needs 662 queries. At the 90th 64 are enough, and 100 leave room for a
# few late ones.
TEST_PERCENTILE = 90.0
TEST_MIN_QUERIES = {"Offline": 64, "SingleStream": 64, "MultiStream": 64, "Server": 100, "Interactive": 100}
# A processor cannot hold the rules' limit for one image classification; a demonstration shall still show a Server run.
# These limits are written where the rules' own are tighter.
TEST_LIMITS = {"cpu": Limits(latency_ms=1_000.0, ttft_ms=10_000.0, tpot_ms=1_000.0)}
# Share of the Offline target that a short Server run asks for when nobody chose a rate: far enough from saturation.
TEST_SERVER_SHARE = 0.3
# In accuracy mode nobody judges latencies: samples may come faster than they are answered.
ACCURACY_SERVER_QPS = 1_000.0

_GENERAL = {"target_qps": "CM_MLPERF_LOADGEN_TARGET_QPS", "target_latency": "CM_MLPERF_LOADGEN_TARGET_LATENCY"}
_SERVERS = ("Server", "Interactive")
# Scenario: the key of user.conf that sizes the run, and the variable that gives it for this scenario alone.
_TARGETS = {
    "Offline": ("target_qps", "CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS"),
    "Server": ("target_qps", "CM_MLPERF_LOADGEN_SERVER_TARGET_QPS"),
    "Interactive": ("target_qps", "CM_MLPERF_LOADGEN_INTERACTIVE_TARGET_QPS"),
    "SingleStream": ("target_latency", "CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY"),
    "MultiStream": ("target_latency", "CM_MLPERF_LOADGEN_MULTISTREAM_TARGET_LATENCY"),
}


def settings_for(env: Env, benchmark: Benchmark | None) -> Settings:
    """Keys and values of user.conf (times in ms) for the scenario and mode that ``env`` names.

    ``benchmark`` has the round's rules, None where the round has no such benchmark.
    Raises ValueError for an unknown scenario or a value that is not a positive number.
    """
    scenario = _text(env, "CM_MLPERF_LOADGEN_SCENARIO")
    if scenario not in _TARGETS:
        raise ValueError(f"unknown scenario {scenario!r}; there are {', '.join(_TARGETS)}")
    settings = _target(env, scenario) | _server_limits(env, scenario, benchmark)
    count = _number(env, "CM_MLPERF_PERFORMANCE_SAMPLE_COUNT")
    if count is not None:
        settings["performance_sample_count_override"] = count
    if _text(env, "CM_MLPERF_LOADGEN_MODE") == "accuracy":
        return settings
    if _is_test(env):
        return settings | _lengths_of_test(env, scenario) | _single_issue(benchmark, scenario)
    return (benchmark.conf_gaps(scenario) if benchmark else {}) | settings | _lengths_of_valid(env)


def _target(env: Env, scenario: str) -> Settings:
    key, own = _TARGETS[scenario]
    value = _number(env, own) or _number(env, _GENERAL[key])
    if value is None and scenario in _SERVERS:
        value = _server_rate(env)
    return {} if value is None else {key: value}


def _server_limits(env: Env, scenario: str, benchmark: Benchmark | None) -> Settings:
    """A limit that was asked for, or those of a demonstration."""
    if scenario not in _SERVERS:
        return {}
    asked = _number(env, "CM_MLPERF_LOADGEN_SERVER_TARGET_LATENCY")
    if asked:
        return {"target_latency": asked}
    relaxed = TEST_LIMITS.get(_text(env, "CM_MLPERF_DEVICE"))
    if relaxed is None or not _is_test(env):
        return {}
    # by scenario name, since a demonstration may also run one that the round has not got
    rules = cast(Mapping[str, Limits], benchmark.limits_by) if benchmark else {}
    rule = rules.get(scenario, Limits())
    if rule.ttft_ms:
        pairs = {"ttft_latency": (rule.ttft_ms, relaxed.ttft_ms), "tpot_latency": (rule.tpot_ms, relaxed.tpot_ms)}
    else:
        pairs = {"target_latency": (rule.latency_ms, relaxed.latency_ms)}
    return {key: wide for key, (tight, wide) in pairs.items() if not tight or tight < wide}


def _server_rate(env: Env) -> float | None:
    """A rate for a Server run that nobody gave one."""
    if _text(env, "CM_MLPERF_LOADGEN_MODE") == "accuracy":
        return ACCURACY_SERVER_QPS
    offline = _number(env, "CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS")
    return round(TEST_SERVER_SHARE * offline, 6) if offline and _is_test(env) else None


def _lengths_of_test(env: Env, scenario: str) -> Settings:
    minimum = _number(env, "CM_MLPERF_INFERENCE_MIN_DURATION")
    shortest = TEST_MIN_DURATION_MS if minimum is None else minimum
    longest = 1_000 * (_number(env, "CM_MLPERF_MAX_DURATION_TEST") or TEST_MAX_DURATION_S)
    queries = _number(env, "CM_MLPERF_INFERENCE_MIN_QUERY_COUNT")
    if scenario == "Offline":
        return _size_of_offline(env, min(shortest, longest), queries) | _most_queries(env)
    settings = {"min_duration": shortest, "max_duration": max(longest, shortest)}
    fewest, percentile = _size_of_test(scenario, _rate(env, scenario), settings["max_duration"] / 1_000)
    settings["min_query_count"] = queries or fewest
    if scenario != "SingleStream" or percentile < TEST_PERCENTILE:
        settings["target_latency_percentile"] = percentile
    return settings | _most_queries(env)


def _single_issue(benchmark: Benchmark | None, scenario: str) -> Settings:
    """Equal issue makes every query count a multiple of the data set, which a demonstration has no time for.

    Offline keeps it: its one query costs what its samples cost.
    """
    off = benchmark is not None and benchmark.equal_issue and scenario != "Offline"
    return {"sample_concatenate_permutation": 0} if off else {}


def _rate(env: Env, scenario: str) -> float | None:
    """Queries per second that the run will see, as far as its target tells."""
    target = _target(env, scenario)
    return target.get("target_qps") or (1_000 / target["target_latency"] if "target_latency" in target else None)


def _size_of_test(scenario: str, rate: float | None, longest_s: float) -> tuple[int, float]:
    """Queries of a demonstration and the percentile they are for; fewer and lower where the cap would end it first."""
    usual = TEST_MIN_QUERIES[scenario]
    affordable_s = TEST_SHARE_OF_CAP * longest_s
    if rate is None or usual <= rate * affordable_s:
        return usual, TEST_PERCENTILE
    queries, percentile = trial_size(rate, affordable_s)
    return queries, min(percentile, TEST_PERCENTILE)


def _size_of_offline(env: Env, duration_ms: float, samples: float | None) -> Settings:
    """Offline is one query that cannot be cut, so a short one is sized by its samples.

    Sized by duration it would be INVALID on a machine that is a third faster than during its search, which on a
    shared machine happens in seconds.
    """
    rate = _target(env, "Offline").get("target_qps", 0.0)
    expected = math.ceil(rate * duration_ms / 1_000)
    return {"min_duration": 0, "min_query_count": samples or max(expected, TEST_MIN_QUERIES["Offline"])}


def _lengths_of_valid(env: Env) -> Settings:
    minimum = _number(env, "CM_MLPERF_INFERENCE_MIN_DURATION")
    queries = _number(env, "CM_MLPERF_INFERENCE_MIN_QUERY_COUNT")
    settings = {} if minimum is None else {"min_duration": minimum}
    settings |= {} if queries is None else {"min_query_count": queries}
    return settings | _most_queries(env)


def _most_queries(env: Env) -> Settings:
    most = _number(env, "CM_MLPERF_INFERENCE_MAX_QUERY_COUNT")
    return {} if most is None else {"max_query_count": most}


def _is_test(env: Env) -> bool:
    return _text(env, "CM_MLPERF_RUN_STYLE") != "valid"


def _text(env: Env, key: str) -> str:
    value = env.get(key)
    return "" if value is None else str(value).strip()


def _number(env: Env, key: str) -> float | None:
    text = _text(env, key)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{key} is {text!r}, not a number") from None
    if not 0 <= value < float("inf") or (value == 0 and "DURATION" not in key):
        raise ValueError(f"{key} is {text}, must be above 0")
    return value
