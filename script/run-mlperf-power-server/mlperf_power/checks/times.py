"""Rules about time: the two clocks, the measured part within the phases, and ranging that is like testing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mlperf_power.checks.evidence import MODES, Evidence
from mlperf_power.checks.finding import Finding
from mlperf_power.errors import PowerError
from mlperf_power.figure import watts_within
from mlperf_power.loadgenlogs import Window

TOLERANCE_S = 0.8
_HOUR_S = 3600
_FOLDERS = {"ranging": "ranging", "testing": "run_1"}
_LOWEST_SHARE = 0.95
_SHORTEST_SHARE = 0.5
_AGAIN = "set both clocks from one NTP server and measure again"


def phases(evidence: Evidence) -> Iterator[Finding]:
    """Client and server began each phase at the same time, to 0.8 s; they come in order."""
    for mode in MODES:
        ours, theirs = evidence.client.phases[mode], evidence.server.phases[mode]
        if len(ours) != len(theirs) or len(ours) < 3:
            cause = f"{mode} has {len(ours)} phases in client.json and {len(theirs)} in server.json"
            yield Finding("phases", "error", str(evidence.server.path), cause, "measure again")
            continue
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
            if abs(one - other) > TOLERANCE_S:
                cause = f"phase {number} of {mode} begins {abs(one - other) * 1000:.0f} ms apart on the two hosts"
                yield Finding("phases", "error", str(evidence.server.path), f"{cause} (limit 800 ms)", _AGAIN)
        if any(later < earlier for earlier, later in pairwise(ours)):
            cause = f"the phases of {mode} are not in order: the clock was set back meanwhile"
            yield Finding("phases", "warning", str(evidence.client.path), cause, _AGAIN)


def within_phases(evidence: Evidence) -> Iterator[Finding]:
    """Loadgen measured while the analyzer did."""
    for mode, folder in _FOLDERS.items():
        begins, window = evidence.client.phases[mode], evidence.windows.get(folder)
        if window is None or len(begins) < 3:
            continue
        for name, moment in (("begin", window.begin), ("end", window.end)):
            # the checker lets a log pass that is an hour off, since daylight saving time once was
            if not any(begins[1] < moment - shift < begins[2] for shift in (0, _HOUR_S)):
                path = str(evidence.folder / folder / "mlperf_log_detail.txt")
                cause = f"loadgen's {name} is not within the time that the analyzer measured in {mode}"
                yield Finding("window", "error", path, cause, "measure again; are these the logs of that run?")


def alike(evidence: Evidence) -> Iterator[Finding]:
    """Testing drew as much as ranging and took about as long, so that the ranges fit."""
    windows = [evidence.windows.get(folder) for folder in _FOLDERS.values()]
    if windows[0] is None or windows[1] is None:
        return
    yield from _durations(evidence, windows[0], windows[1])
    try:
        ranging, testing = (_mean_watts(evidence, folder) for folder in _FOLDERS.values())
    except PowerError as error:
        yield Finding("average-power", "error", str(evidence.folder), error.cause, error.hint or "measure again")
        return
    if round((round(testing, 5) / round(ranging, 5) - 1) * 100, 2) <= (_LOWEST_SHARE - 1) * 100:
        cause = f"testing drew {testing:.2f} W on average, more than 5 % below ranging's {ranging:.2f} W"
        yield Finding("average-power", "error", str(evidence.folder / "run_1"), cause, "run the same command in both")


def _durations(evidence: Evidence, ranging: Window, testing: Window) -> Iterator[Finding]:
    lengths = f"testing measured {testing.seconds:.1f} s, ranging {ranging.seconds:.1f} s"
    if testing.seconds < _SHORTEST_SHARE * ranging.seconds:
        cause = f"{lengths}: less than half"
        yield Finding("duration", "warning", str(evidence.folder / "run_1"), cause, "run the same command in both")
    if ranging.seconds < 0.99 * _SHORTEST_SHARE * testing.seconds:
        cause = f"{lengths}: the ranges may not hold the peaks of testing"
        yield Finding("duration", "warning", str(evidence.folder / "ranging"), cause, "let ranging run as long")


def _mean_watts(evidence: Evidence, folder: str) -> float:
    path = evidence.folder / folder / "spl.txt"
    watts = [value for value in watts_within(path, evidence.windows[folder]) if value > 0]
    if not watts:
        raise PowerError(f"{path} has no sample above 0 W within the measured part of the run", _AGAIN)
    return sum(watts) / len(watts)
