"""Samples of an analyzer: PTDaemon's lines, as power logs (spl.txt) keep them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from mlperf_power.errors import PowerError

TIME_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_NAMES = ("Watts", "Volts", "Amps", "PF")


def moment(text: str) -> float:
    """Seconds since 1970 of `MM-DD-YYYY HH:MM:SS.mmm`, which is UTC. Raises ValueError."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=timezone.utc).timestamp()


@dataclass(frozen=True)
class Reading:
    """Active watts, RMS volts and amperes, power factor; texts are as PTDaemon wrote them."""

    watts: str
    volts: str
    amps: str
    power_factor: str

    def text(self) -> str:
        values = (self.watts, self.volts, self.amps, self.power_factor)
        return ",".join(f"{name},{value}" for name, value in zip(_NAMES, values, strict=True))


@dataclass(frozen=True)
class Sample:
    """One line of RL: the sum, and the channels where the meter has several."""

    time: str
    total: Reading
    channels: tuple[Reading, ...] = ()

    def line(self, mark: str, first_channel: int = 1) -> str:
        """A line of a power log: with the mark, which RL leaves out, and numbers for the channels."""
        rest = (f",Ch{number},{one.text()}" for number, one in enumerate(self.channels, first_channel))
        return f"Time,{self.time},{self.total.text()},Mark,{mark}" + "".join(rest)


def read_sample(line: str) -> Sample:
    """A line of RL, taken apart. Raises PowerError: cut off, or not such a line."""
    words = line.rstrip("\r\n").split(",")
    try:
        if words[0] != "Time" or len(words) < 10 or (len(words) - 2) % 8:
            raise ValueError(line)
        moment(words[1])
        readings = [_reading(words[start : start + 8]) for start in range(2, len(words), 8)]
    except ValueError as error:
        raise PowerError(
            f"the analyzer's PTDaemon sent a line that is not a sample: {line[:100]!r}", "repeat the measurement"
        ) from error
    return Sample(words[1], readings[0], tuple(readings[1:]))


def peaks(samples: Iterable[Sample], first: int, count: int) -> tuple[float, float]:
    """The highest volts and amperes of the sum and of `count` channels from `first` on (counted from 1).

    Raises PowerError: the meter has fewer channels, or there is not one sample.
    """
    readings: list[Reading] = []
    for sample in samples:
        chosen = sample.channels[first - 1 : first - 1 + count] if count else ()
        if len(chosen) < count:
            raise PowerError(
                f"the settings name {count} channel(s) from {first} on, the meter shows {len(sample.channels)}",
                "correct `channel` in the server's settings",
            )
        readings += [sample.total, *chosen]
    if not readings:
        raise PowerError(
            "the measurement ended before the analyzer had a sample",
            "make the measured command run longer: a sample is taken every second",
        )
    return max(float(reading.volts) for reading in readings), max(float(reading.amps) for reading in readings)


def merge(logs: Sequence[Sequence[str]]) -> list[str]:
    """Lines of several analyzers' power logs, joined line by line; watts are added.

    The joint time and mark are the first analyzer's. A meter whose line shows -1 was off; the sign of the others is
    that of their wiring. The shortest log decides how many lines there are.
    """
    return [_merged(lines) for lines in zip(*logs, strict=False)]


def _merged(lines: tuple[str, ...]) -> str:
    words = [line.split(",") for line in lines]
    watts = sum(abs(float(one[3])) for one in words if float(one[3]) != -1)
    none = f"{-1:.6f}"
    head = f"Time,{words[0][1]},Watts,{watts:.6f},Volts,{none},Amps,{none},PF,{none},Mark,{words[0][11]}"
    return head + "".join(f",Analyzer{number},{line}" for number, line in enumerate(lines, 1))


def _reading(words: list[str]) -> Reading:
    if tuple(words[0::2]) != _NAMES:
        raise ValueError(words)
    for value in words[1::2]:
        float(value)
    return Reading(words[1], words[3], words[5], words[7])
