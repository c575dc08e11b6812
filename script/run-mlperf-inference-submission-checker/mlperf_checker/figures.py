"""The numbers that a result stands for, in the units of the published table."""

from __future__ import annotations

from mlperf_checker.context import ResultFolder
from mlperf_checker.reading import Unreadable

_NS_PER_MS = 1_000_000
_MS_PER_S = 1000
SAMPLES_PER_MULTISTREAM_QUERY = 8

_STREAMS = ("SingleStream", "MultiStream")


def key(result: ResultFolder) -> str | None:
    """The log's key of the number that was measured."""
    found = result.figure_of(result.measured_scenario or "")
    return found.key if found else None


def unit(result: ResultFolder) -> str:
    """Unit of the number, as the published table has it; empty for an unknown scenario."""
    found = result.figure_of(result.scenario or "")
    return found.unit if found else ""


def performance(result: ResultFolder) -> float | None:
    """The submitted number: milliseconds for streams, a rate for other scenarios; None where the log lacks it.

    Where the log is of another scenario, it is computed from that one.
    """
    log = result.performance.log
    if isinstance(log, Unreadable):
        return None
    if result.is_inferred:
        return _inferred(result)
    name = key(result)
    value = log.number(name) if name else None
    if value is None or value <= 0:
        return None
    if result.measured_scenario in _STREAMS:
        value /= _NS_PER_MS
        if unit(result) == "Latency (s)":
            value /= _MS_PER_S
    return value


def _inferred(result: ResultFolder) -> float | None:
    log = result.performance.log
    assert not isinstance(log, Unreadable)
    match result.measured_scenario, result.scenario:
        case "SingleStream", "MultiStream":
            latency = log.number("early_stopping_latency_ms")
            return latency * SAMPLES_PER_MULTISTREAM_QUERY / _NS_PER_MS if latency else None
        case "SingleStream", "Offline":
            return log.number("result_qps_without_loadgen_overhead") or None
        case "MultiStream", "Offline":
            mean, size = log.number("result_mean_query_latency_ns"), log.number("effective_samples_per_query")
            return size * _MS_PER_S / (mean / _NS_PER_MS) if mean and size else None
    return None
