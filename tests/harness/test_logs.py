"""Reading mlperf_log_detail.txt."""

import json

import pytest

from harness import logs, settings
from harness.errors import HarnessError
from harness.scenarios import ALL
from harness.settings import Expectation


def line(key, value, **metadata):
    return ":::MLLOG " + json.dumps({"key": key, "value": value, "metadata": metadata})


SINGLE = [
    line("loadgen_version", "6.0.17 @ abc"),
    line("loaded_qsl_set", list(range(1000))),
    line("effective_scenario", "SingleStream"),
    line("effective_test_mode", "PerformanceOnly"),
    line("effective_target_latency_percentile", 0.9),
    line("effective_qsl_rng_seed", 2085463073848966840),
    line("power_begin", "11-22-2026 06:18:09.481"),
    line("power_end", "11-22-2026 06:18:10.481"),
    line("result_validity", "VALID"),
    line("early_stopping_latency_ss", 1_500_000),
    line("result_mean_latency_ns", 1_000_000),
    line("result_50.00_percentile_latency_ns", 900_000),
    line("result_99.90_percentile_latency_ns", 3_000_000),
    line("num_errors", 0),
]


def test_the_headline_has_metric_value_and_unit():
    loadgen = logs.summarise(logs.parse(SINGLE), ALL["SingleStream"])
    assert (loadgen.figure.metric, loadgen.figure.value, loadgen.figure.unit) == ("90th percentile latency", 1.5, "ms")
    assert loadgen.percentiles_ms == {"50": 0.9, "99.9": 3.0}
    assert loadgen.seeds == {"qsl_rng_seed": 2085463073848966840}
    assert "loaded_qsl_set" not in logs.parse(SINGLE).values


def test_multi_stream_percentiles_are_per_query():
    lines = [line("result_99.00_percentile_per_query_latency_ns", 8e6), line("result_99.00_percentile_latency_ns", 7e6)]
    for order in (lines, lines[::-1]):
        assert logs.summarise(logs.parse(order), ALL["MultiStream"]).percentiles_ms == {"99": 8.0}


def test_errors_count_even_where_loadgen_prints_no_sum():
    log = logs.parse([line("error_runtime", "twice", is_error=True), line("warning_x", "hm", is_warning=True)])
    assert log.num_errors == 1
    assert log.errors == ("twice",)
    assert log.warnings == ("hm",)


def test_an_empty_reason_is_replaced_by_the_missed_condition():
    log = logs.parse(
        [
            line("result_validity", "INVALID"),
            line("early_stopping_met", False),
            line("result_invalid_reason", ""),
            line("early_stopping_result", " * Only processed 30 queries.  * Need 662."),
        ]
    )
    assert logs.validity(log).reasons == ("too few queries for the percentile: Only processed 30 queries. Need 662.",)


def test_no_verdict_is_not_valid():
    verdict = logs.validity(logs.parse(SINGLE[:6]))
    assert verdict.valid is False
    assert verdict.reasons == ("loadgen's log has no verdict",)


def test_a_cut_last_line_is_left_out_but_a_broken_one_in_between_is_not():
    assert logs.parse([*SINGLE, SINGLE[0][:30]]).finished
    with pytest.raises(HarnessError, match=":2: not a loadgen log line"):
        logs.parse([SINGLE[0], SINGLE[1][:30], SINGLE[2]])


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(HarnessError, match="no detail log"):
        logs.read(tmp_path)


def test_effective_settings_are_compared_to_six_digits():
    expected = (Expectation("effective_target_qps", 1234567.0, "user.conf:1"),)
    assert settings.mismatches(expected, {"effective_target_qps": 1.23457e06}) == []
    assert settings.mismatches(expected, {"effective_target_qps": 1.235e06}) == [
        "effective_target_qps is 1235000.0, but user.conf:1 asks for 1.23457e+06"
    ]
    assert "missing" in settings.mismatches(expected, {})[0]


def test_expectations_come_from_user_conf_and_configuration(configure, tmp_path):
    conf = tmp_path / "user.conf"
    conf.write_text("*.*.max_duration = 9000\nresnet50.Server.target_latency = 20\n")
    config = configure(scenario="Server", user_conf=str(conf), target_qps=50.0, target_latency_percentile=95.0)
    expected = {one.key: one.value for one in settings.expectations(config, 24)}
    assert expected == {
        "effective_max_duration_ms": 9000,
        "effective_target_latency_ns": 20e6,
        "effective_target_qps": 50,
        "effective_target_latency_percentile": 0.95,
        "effective_min_duration_ms": 0,
        "effective_min_query_count": 200,
        "effective_performance_sample_count": 24,
    }
