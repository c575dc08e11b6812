"""Reader of mlperf_log_detail.txt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.outcome import Figure, Loadgen, Validity
from harness.scenarios import Scenario

DETAIL = "mlperf_log_detail.txt"
ACCURACY = "mlperf_log_accuracy.json"

_MARK = ":::MLLOG "
_BULKY = ("loaded_qsl_set", "loadgen_file_sha1")
_PERCENTILE = re.compile(r"result_(\d+\.\d+)_percentile_(per_query_)?latency_ns")
_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


@dataclass(frozen=True)
class DetailLog:
    """Last value of each key, and every error and warning with its key."""

    values: dict[str, Any]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    invalid_reasons: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """True when loadgen got to the end of a test."""
        return "power_end" in self.values

    @property
    def num_errors(self) -> int:
        """loadgen's own count, or the errors logged where it printed none (accuracy mode)."""
        return max(int(self.values.get("num_errors", 0)), len(self.errors))

    @property
    def effective(self) -> dict[str, Any]:
        """The settings that loadgen says it used."""
        return {key: value for key, value in self.values.items() if key.startswith("effective_")}


def read(folder: Path) -> DetailLog:
    """Parse the detail log of a run.

    Raises:
        HarnessError: kind `internal`, when the file is missing or has a malformed line that is not its last one.
    """
    path = folder / DETAIL
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise HarnessError("internal", f"loadgen left no detail log: cannot read {path}: {error.strerror}") from error
    return parse(lines, str(path))


def parse(lines: list[str], source: str = DETAIL) -> DetailLog:
    """Parse lines; a cut last line (the process died) is left out."""
    values: dict[str, Any] = {}
    found: dict[str, list[str]] = {"error": [], "warning": [], "reason": []}
    for number, line in enumerate(lines, start=1):
        if not line.startswith(_MARK):
            continue
        entry = _entry(line, number, source, is_last=number == len(lines))
        if entry is None or entry["key"] in _BULKY:
            continue
        values[entry["key"]] = entry["value"]
        kind = _kind(entry)
        if kind:
            found[kind].append(str(entry["value"]).strip())
    return DetailLog(values, tuple(found["error"]), tuple(found["warning"]), tuple(found["reason"]))


def _entry(line: str, number: int, source: str, *, is_last: bool) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(line[len(_MARK) :])
        if "key" in entry and "value" in entry:
            return entry
    except json.JSONDecodeError as error:
        if is_last:
            return None
        raise HarnessError("internal", f"{source}:{number}: not a loadgen log line: {error}") from error
    return None


def _kind(entry: dict[str, Any]) -> str:
    if entry["key"] == "result_invalid_reason":
        return "reason"
    metadata = entry.get("metadata", {})
    if metadata.get("is_error"):
        return "error"
    return "warning" if metadata.get("is_warning") else ""


def validity(log: DetailLog) -> Validity:
    """loadgen's verdict. A performance log without a verdict is not valid."""
    if log.values.get("effective_test_mode") == "AccuracyOnly":
        return Validity(valid=None)
    valid = log.values.get("result_validity") == "VALID"
    return Validity(valid=valid, reasons=() if valid else (*_unmet(log), *filter(None, log.invalid_reasons)))


def _unmet(log: DetailLog) -> tuple[str, ...]:
    """The conditions that loadgen says were missed; its own reason is often empty."""
    advice = " ".join(str(log.values.get("early_stopping_result", "")).replace("*", "").split())
    conditions = {
        "result_perf_constraints_met": "the latency limit was not met",
        "result_min_duration_met": "the run was shorter than min_duration",
        "result_min_queries_met": "fewer queries than min_query_count",
        "early_stopping_met": f"too few queries for the percentile: {advice}",
    }
    unmet = tuple(text for key, text in conditions.items() if log.values.get(key) is False)
    return unmet or (() if log.invalid_reasons else ("loadgen's log has no verdict",))


def summarise(log: DetailLog, scenario: Scenario) -> Loadgen:
    """The figures of a log; `figure` is None where loadgen printed no headline number."""
    values = log.values
    return Loadgen(
        version=str(values.get("loadgen_version", "")),
        seeds={name: int(values[f"effective_{name}"]) for name in _SEEDS if f"effective_{name}" in values},
        scenario=str(values.get("effective_scenario", "")),
        mode=str(values.get("effective_test_mode", "")),
        num_errors=log.num_errors,
        query_count=values.get("result_query_count"),
        figure=_headline(values, scenario),
        figures=_figures(values),
        percentiles_ms=_percentiles(values),
        effective=log.effective,
        errors=log.errors[:20],
        warnings=log.warnings[:20],
        power_begin=values.get("power_begin"),
        power_end=values.get("power_end"),
    )


def _headline(values: dict[str, Any], scenario: Scenario) -> Figure | None:
    if scenario.token_metric_key in values:
        value = float(values[scenario.token_metric_key])
        return Figure(metric="token throughput", value=value, unit=scenario.token_unit, key=scenario.token_metric_key)
    if scenario.metric_key not in values:
        return None
    percentile = 100 * float(values.get("effective_target_latency_percentile", 0))
    return Figure(
        metric=scenario.metric.format(percentile=percentile),
        value=float(values[scenario.metric_key]) / scenario.divisor,
        unit=scenario.unit,
        key=scenario.metric_key,
    )


_FIGURES = {
    "result_samples_per_second": ("samples per second", "samples/s", 1),
    "result_scheduled_samples_per_sec": ("scheduled queries", "queries/s", 1),
    "result_completed_samples_per_sec": ("completed queries", "queries/s", 1),
    "result_qps_with_loadgen_overhead": ("queries, with loadgen's overhead", "queries/s", 1),
    "result_qps_without_loadgen_overhead": ("queries, without loadgen's overhead", "queries/s", 1),
    "result_tokens_per_second": ("tokens per second", "tokens/s", 1),
    "result_completed_tokens_per_second": ("completed tokens", "tokens/s", 1),
    "result_first_token_90.00_percentile_latency_ns": ("time to first token, 90th percentile", "ms", 1e6),
    "result_first_token_99.00_percentile_latency_ns": ("time to first token, 99th percentile", "ms", 1e6),
    "result_time_per_output_token_90.00_percentile_ns": ("time per output token, 90th percentile", "ms", 1e6),
    "result_time_per_output_token_99.00_percentile_ns": ("time per output token, 99th percentile", "ms", 1e6),
    "early_stopping_latency_ss": ("90th percentile latency, early-stopping estimate", "ms", 1e6),
    "early_stopping_latency_ms": ("99th percentile latency, early-stopping estimate", "ms", 1e6),
    "result_min_latency_ns": ("minimum latency", "ms", 1e6),
    "result_mean_latency_ns": ("mean latency", "ms", 1e6),
    "result_max_latency_ns": ("maximum latency", "ms", 1e6),
}


def _figures(values: dict[str, Any]) -> tuple[Figure, ...]:
    return tuple(
        Figure(metric=name, value=float(values[key]) / divisor, unit=unit, key=key)
        for key, (name, unit, divisor) in _FIGURES.items()
        if key in values
    )


def _percentiles(values: dict[str, Any]) -> dict[str, float]:
    """`{"50": ms}`; per query where loadgen gives that (MultiStream), else per sample."""
    found: dict[str, float] = {}
    for key, value in values.items():
        match = _PERCENTILE.fullmatch(key)
        if match and (match[2] or f"{float(match[1]):g}" not in found):
            found[f"{float(match[1]):g}"] = float(value) / 1e6
    return found
