"""What differs between the scenarios, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Scenario:
    """One loadgen scenario.

    `metric_key` is the number that MLPerf submits, as a key of mlperf_log_detail.txt, and `scale` turns its value into
    `unit` (inference rules; for the streams the early-stopping estimate, not the raw percentile). `metric` is its name,
    which may contain the effective `{percentile}`. `target` is the user.conf key that sizes the run. A `queued` scenario
    answers from a worker thread, the others inside the issue callback.
    """

    name: str
    metric: str
    metric_key: str
    unit: str
    scale: float
    target: Literal["target_qps", "target_latency"]
    queued: bool = False

    @property
    def lower_is_better(self) -> bool:
        """True where the metric is a latency."""
        return self.unit == "ms"


ALL: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "SingleStream",
            "{percentile:g}th percentile latency",
            "early_stopping_latency_ss",
            "ms",
            1e-6,
            "target_latency",
        ),
        Scenario(
            "MultiStream",
            "{percentile:g}th percentile latency per query",
            "early_stopping_latency_ms",
            "ms",
            1e-6,
            "target_latency",
        ),
        Scenario(
            "Offline",
            "throughput",
            "result_samples_per_second",
            "samples/s",
            1.0,
            "target_qps",
        ),
        Scenario(
            "Server",
            "completed queries",
            "result_completed_samples_per_sec",
            "queries/s",
            1.0,
            "target_qps",
            queued=True,
        ),
    )
}
