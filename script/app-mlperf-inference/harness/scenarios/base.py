"""What differs between the scenarios, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

NS_PER_MS = 1_000_000

_QUERY = "query issued to completed, harness clock"


@dataclass(frozen=True)
class Setting:
    """A RunConfig field as attribute of loadgen's TestSettings and as user.conf key.

    The field's value times `attribute_scale` is the attribute's, times `key_scale` the user.conf key's.
    """

    field: str
    attribute: str
    key: str
    attribute_scale: float | None = None  # None: handed on as it is, integers stay integers
    key_scale: float = 1.0


@dataclass(frozen=True)
class Scenario:
    """One loadgen scenario.

    Attributes:
        metric: name of the headline number, with room for the effective `{percentile}`.
        metric_key: that number in mlperf_log_detail.txt, the one which MLPerf submits: for the streams the
            early-stopping estimate, not the raw percentile (inference rules).
        divisor: turns the log's value into `unit`.
        target: user.conf key that sizes the run.
        settings: RunConfig fields with a meaning here.
        percentile: latency percentile (percent) that a submission needs, None without one.
        latency_source: what one value of the harness's own latency record is.
        queued: answered from worker threads instead of inside the issue callback.
        loadgen_name: what loadgen calls it, where that differs.
        token_metric_key, token_unit: the same number for benchmarks that count tokens; it is in the log of those only.
    """

    name: str
    metric: str
    metric_key: str
    unit: str
    divisor: float
    target: Literal["target_qps", "target_latency"]
    settings: tuple[Setting, ...]
    percentile: float | None = None
    latency_source: str = _QUERY
    queued: bool = False
    loadgen_name: str = ""
    token_metric_key: str = ""
    token_unit: str = "tokens/s"

    @property
    def in_loadgen(self) -> str:
        """loadgen's name of the scenario."""
        return self.loadgen_name or self.name


_COMMON = (
    Setting("min_duration_ms", "min_duration_ms", "min_duration"),
    Setting("max_duration_ms", "max_duration_ms", "max_duration"),
    Setting("min_query_count", "min_query_count", "min_query_count"),
    Setting("max_query_count", "max_query_count", "max_query_count"),
    Setting("equal_issue", "sample_concatenate_permutation", "sample_concatenate_permutation"),
)


def _latency(attribute: str) -> Setting:
    return Setting("target_latency_ns", attribute, "target_latency", key_scale=1 / NS_PER_MS)


def _percentile(attribute: str) -> Setting:
    return Setting("target_latency_percentile", attribute, "target_latency_percentile", attribute_scale=0.01)


SINGLE_STREAM = Scenario(
    name="SingleStream",
    metric="{percentile:g}th percentile latency",
    metric_key="early_stopping_latency_ss",
    unit="ms",
    divisor=1e6,
    target="target_latency",
    settings=(
        *_COMMON,
        _latency("single_stream_expected_latency_ns"),
        _percentile("single_stream_target_latency_percentile"),
    ),
    percentile=90.0,
)
MULTI_STREAM = Scenario(
    name="MultiStream",
    metric="{percentile:g}th percentile latency per query",
    metric_key="early_stopping_latency_ms",
    unit="ms",
    divisor=1e6,
    target="target_latency",
    settings=(
        *_COMMON,
        _latency("multi_stream_expected_latency_ns"),
        _percentile("multi_stream_target_latency_percentile"),
    ),
    percentile=99.0,
)
OFFLINE = Scenario(
    name="Offline",
    metric="throughput",
    metric_key="result_samples_per_second",
    unit="samples/s",
    divisor=1.0,
    target="target_qps",
    settings=(*_COMMON, Setting("target_qps", "offline_expected_qps", "target_qps")),
    latency_source="time from one batch to the next, harness clock",
    token_metric_key="result_tokens_per_second",
)
SERVER = Scenario(
    name="Server",
    metric="completed queries",
    metric_key="result_completed_samples_per_sec",
    unit="queries/s",
    divisor=1.0,
    target="target_qps",
    settings=(
        *_COMMON,
        Setting("target_qps", "server_target_qps", "target_qps"),
        _latency("server_target_latency_ns"),
        _percentile("server_target_latency_percentile"),
        Setting("coalesce_queries", "server_coalesce_queries", "coalesce_queries"),
        Setting("max_async_queries", "server_max_async_queries", "max_async_queries"),
    ),
    percentile=99.0,
    latency_source="query received to completed, harness clock (without the wait inside loadgen)",
    queued=True,
    token_metric_key="result_completed_tokens_per_second",
)
# A Server run with tighter token latencies, which mlperf.conf keeps under a benchmark name of their own (v5.0 on).
INTERACTIVE = replace(SERVER, name="Interactive", loadgen_name="Server")

ALL: dict[str, Scenario] = {one.name: one for one in (SINGLE_STREAM, MULTI_STREAM, OFFLINE, SERVER, INTERACTIVE)}
