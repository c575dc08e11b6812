"""Power of a result: mean of the analyzer's samples over loadgen's own window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlperf_checker.context import ResultFolder
from mlperf_checker.figures import SAMPLES_PER_MULTISTREAM_QUERY
from mlperf_checker.reading import Unreadable

_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_MJ_PER_J = 1000
_TIME, _WATTS = 1, 3


@dataclass(frozen=True)
class Power:
    """Watts for Offline, Server and Interactive, millijoules per query for the streams."""

    value: float
    unit: str


def power(result: ResultFolder) -> Power | str:
    """The power figure of a result, or why there is none."""
    log = result.performance.log
    if isinstance(log, Unreadable):
        return "the detail log cannot be read"
    begin, end = _moment(log.text("power_begin")), _moment(log.text("power_end"))
    if begin is None or end is None or end <= begin:
        return "the detail log has no power_begin and power_end"
    text = result.submission.files.text(result.performance.path / "spl.txt")
    if isinstance(text, Unreadable):
        return f"spl.txt: {text.why}"
    watts = [value for when, value in _samples(text) if begin < when < end and value > 0]
    if not watts:
        return f"spl.txt has no sample between {begin} and {end}"
    mean = sum(watts) / len(watts)
    if result.scenario not in ("SingleStream", "MultiStream"):
        return Power(mean, "Watts")
    queries = log.number("result_query_count")
    if not queries:
        return "the detail log has no result_query_count"
    per_query = mean * (end - begin).total_seconds() * _MJ_PER_J / queries
    inferred = (result.measured_scenario, result.scenario) == ("SingleStream", "MultiStream")
    return Power(per_query * (SAMPLES_PER_MULTISTREAM_QUERY if inferred else 1), "millijoules")


def _samples(text: str) -> list[tuple[datetime, float]]:
    found = []
    for line in text.splitlines():
        parts = line.split(",")
        if line.startswith("Time") and len(parts) > _WATTS:
            when = _moment(parts[_TIME])
            try:
                watts = float(parts[_WATTS])
            except ValueError:
                continue
            if when is not None:
                found.append((when, watts))
    return found


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _FORMAT)
    except ValueError:
        return None
