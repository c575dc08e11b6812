"""The power figure of a measured run, as the submission checker computes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlperf_power.errors import PowerError
from mlperf_power.loadgenlogs import DETAIL, RunLog, Window, read_run
from mlperf_power.samples import moment

WATT_SCENARIOS = ("Offline", "Server", "Interactive")
SAMPLES_PER_QUERY = {"SingleStream": 1, "MultiStream": 8}


@dataclass(frozen=True)
class PowerFigure:
    """`value` in `unit`: W, or mJ per query in the streams.

    Attributes:
        watts: mean of the samples strictly within the measured part that are above zero.
        seconds: length of the measured part.
        samples: how many power samples that mean has.
        samples_per_joule: what a joule buys; in the unit of the performance figure that was given (tokens, say). None
            where that figure is not known.
        inferred: a MultiStream figure that comes from a SingleStream run.
    """

    value: float
    unit: str
    watts: float
    seconds: float
    samples: int
    samples_per_joule: float | None
    inferred: bool = False

    @property
    def joules(self) -> float:
        """Energy of the whole measured part."""
        return self.watts * self.seconds


def metric(folder: Path, scenario: str, performance: float | None = None) -> PowerFigure:
    """The figure of a `performance` folder (with run_1/) or of the folder that holds the run's own logs.

    Args:
        folder: where the logs are.
        scenario: what the result is submitted as, in any case of letters.
        performance: result per second that joules shall be set against; by default the log's own.

    Raises:
        PowerError: files that are missing or cannot be read, no sample in the measured part, an unknown scenario.
    """
    run = folder / "run_1" if (folder / "run_1").is_dir() else folder
    log = read_run(run / DETAIL)
    watts = [value for value in watts_within(run / "spl.txt", log.window) if value > 0]
    if not watts:
        raise PowerError(
            f"{run / 'spl.txt'} has no power sample within the measured part of the run",
            "were the clocks of client and server set from one NTP server? Measure again",
        )
    mean = sum(watts) / len(watts)
    return _figure(_canonical(scenario), log, mean, len(watts), performance)


def watts_within(path: Path, window: Window) -> Iterator[float]:
    """Watts of the samples strictly between begin and end. Raises PowerError: the file or a line cannot be read."""
    return (float(words[3]) for words in lines_within(path, window))


def lines_within(path: Path, window: Window) -> Iterator[list[str]]:
    """The words of those lines."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.startswith("Time"):
                    words = _words(path, number, line)
                    if window.begin < moment(words[1]) < window.end:
                        yield words
    except OSError as error:
        raise PowerError(f"{path} cannot be read: {error.strerror}") from error


def _words(path: Path, number: int, line: str) -> list[str]:
    words = line.rstrip("\n").split(",")
    try:
        moment(words[1]), float(words[3]), float(words[9])
    except (IndexError, ValueError) as error:
        raise PowerError(f"{path}:{number} is not a sample: {line[:80]!r}", "measure again") from error
    return words


def _canonical(scenario: str) -> str:
    for known in (*WATT_SCENARIOS, *SAMPLES_PER_QUERY):
        if known.lower() == scenario.lower():
            return known
    known_ones = ", ".join((*WATT_SCENARIOS, *SAMPLES_PER_QUERY))
    raise PowerError(f"{scenario!r} is no scenario", f"known are {known_ones}")


def _figure(scenario: str, log: RunLog, mean: float, count: int, performance: float | None) -> PowerFigure:
    seconds = log.window.seconds
    if scenario in WATT_SCENARIOS:
        rate = log.samples_per_second(scenario) if performance is None else performance
        return PowerFigure(mean, "W", mean, seconds, count, None if rate is None else rate / mean)
    if log.queries < 1:
        raise PowerError("the detail log does not say how many queries were answered (result_query_count)")
    inferred = scenario == "MultiStream" and log.scenario == "SingleStream"
    per_query = mean * seconds * 1000 / log.queries * (8 if inferred else 1)
    return PowerFigure(
        per_query, "mJ/query", mean, seconds, count, SAMPLES_PER_QUERY[scenario] * 1000 / per_query, inferred
    )
