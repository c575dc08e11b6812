"""Loadgen's logs: when the measured part of a run began and ended, and the figures that power is divided by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mlperf_power.errors import PowerError
from mlperf_power.samples import moment

DETAIL = "mlperf_log_detail.txt"
SUMMARY = "mlperf_log_summary.txt"
_PREFIX = ":::MLLOG "
_MEASURED = {
    "Offline": "result_samples_per_second",
    "Server": "result_completed_samples_per_sec",
    "Interactive": "result_completed_samples_per_sec",
}
_KEYS = ("power_begin", "power_end", "effective_scenario", "result_query_count", *set(_MEASURED.values()))


@dataclass(frozen=True)
class Window:
    """The measured part of a run: seconds since 1970, by the clock of the client."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True)
class RunLog:
    """What of a detail log the power figure needs. `rates`: results per second by the log's key."""

    window: Window
    scenario: str
    queries: int
    rates: dict[str, float]

    def samples_per_second(self, scenario: str) -> float | None:
        """The scenario's own result where it is a rate."""
        return self.rates.get(_MEASURED.get(scenario, ""))


def read_values(path: Path) -> dict[str, object]:
    """The values of the keys above; of keys that come twice the last. Raises PowerError: the file cannot be read."""
    values: dict[str, object] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if any(f'"{key}"' in line for key in _KEYS):
                    entry = _entry(line)
                    if entry.get("key") in _KEYS:
                        values[str(entry["key"])] = entry.get("value")
    except OSError as error:
        raise PowerError(f"{path} cannot be read: {error.strerror}") from error
    return values


def read_window(path: Path) -> Window:
    """The measured part. Raises PowerError: the log cannot be read or does not tell."""
    values = read_values(path)
    try:
        return Window(moment(str(values["power_begin"])), moment(str(values["power_end"])))
    except (KeyError, ValueError) as error:
        raise PowerError(
            f"{path} does not say when the measured part began and ended (power_begin, power_end)",
            "was the run ended early? Repeat it",
        ) from error


def read_run(path: Path) -> RunLog:
    """Everything for the figure. Raises PowerError."""
    window, values = read_window(path), read_values(path)
    try:
        rates = {key: float(str(values[key])) for key in set(_MEASURED.values()) & set(values)}
        queries = int(str(values.get("result_query_count", 0)))
    except ValueError as error:
        raise PowerError(f"{path} holds a result that is not a number: {error}") from error
    return RunLog(window, str(values.get("effective_scenario", "")), queries, rates)


def find_run(folder: Path, began: float, ended: float) -> Path:
    """The folder of the run whose measured part lies within a time; of several the one nearest to `folder`.

    A harness may keep small runs of its own below a run, to learn what it costs itself.

    Raises:
        PowerError: there is none, or there are several side by side.
    """
    logs = list(folder.rglob(DETAIL)) if folder.is_dir() else []
    runs = [log.parent for log in logs if _is_within(log, began, ended)]
    if not runs:
        found = f"{len(logs)} of other runs" if logs else "none"
        raise PowerError(
            f"the command left no loadgen log of this run in {folder} (found there: {found})",
            "give the folder that the command writes its logs to: --loadgen_logs_dir=FOLDER",
        )
    depth = min(len(run.parts) for run in runs)
    nearest = sorted(run for run in runs if len(run.parts) == depth)
    if len(nearest) > 1:
        raise PowerError(
            f"the command made {len(nearest)} loadgen runs: {', '.join(str(run) for run in nearest[:3])}",
            "measure one run at a time, or name its folder: --loadgen_logs_dir=FOLDER",
        )
    return nearest[0]


def _is_within(log: Path, began: float, ended: float) -> bool:
    try:
        window = read_window(log)
    except PowerError:
        return False  # a run of before that did not end well
    return began < window.begin and window.end < ended


def _entry(line: str) -> dict[str, object]:
    if not line.startswith(_PREFIX):
        return {}
    try:
        entry = json.loads(line[len(_PREFIX) :])
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
