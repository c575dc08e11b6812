"""One measurement, from Go to Stop: samples come in on a thread of their own, clients read them when they like."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from analyzer_simulator import console
from analyzer_simulator.load import Reading
from analyzer_simulator.meter import UNCERTAINTY_LIMIT, Meter, Sample

FIRST_SAMPLE_S = 0.2


@dataclass(frozen=True)
class Pace:
    """Seconds between samples, and how many of them are lost for each one that is kept."""

    seconds: float
    lost: int = 0


@dataclass(frozen=True)
class Wrongness:
    """Faults of the samples of one measurement."""

    negative: bool = False
    uncertain: bool = False


class Measurement:
    """Samples of a meter under a mark; `log` is the file that gets a line for each, empty for none."""

    def __init__(self, meter: Meter, mark: str, pace: Pace, wrong: Wrongness, log: str) -> None:
        self.samples: list[Sample] = []
        self.running = True
        self._meter, self._mark, self._pace, self._wrong, self._log = meter, mark, pace, wrong, log
        self._unread = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self.running = False

    def unread(self) -> list[Sample]:
        """The samples that no client has read yet."""
        first, self._unread = self._unread, len(self.samples)
        return self.samples[first : self._unread]

    def watts(self) -> str:
        """Average, least and most watts; samples, errors, valid samples."""
        watts = [sample.total.watts for sample in self.samples]
        if not watts:
            return "No data"
        average = sum(watts) / len(watts)
        return f"Watts,{average:.6f},{min(watts):.6f},{max(watts):.6f},{len(watts)},0,{len(watts)}"

    def uncertainty(self) -> str:
        """Average, least and most uncertainty; samples, those above the limit, valid ones, unknown ones."""
        known = [sample.uncertainty for sample in self.samples if sample.uncertainty is not None]
        unknown = len(self.samples) - len(known)
        if not known:
            return f"Uncertainty,-1.0,10000000.000000,0.000000,{len(self.samples)},0,0,{unknown}"
        above = sum(value > UNCERTAINTY_LIMIT for value in known)
        shares = f"{sum(known) / len(known):.6f},{min(known):.6f},{max(known):.6f}"
        return f"Uncertainty,{shares},{len(self.samples)},{above},{len(known) - above},{unknown}"

    def summary(self) -> str:
        watts = self.watts().split(",")
        if len(watts) == 1:
            return "Avg watts -1.000000, min watts -1.000000, max watts -1.000000, samples 0, errors 0, valid 0"
        _, average, least, most, samples, errors, valid = watts
        spread = f"Avg watts {average}, min watts {least}, max watts {most}"
        return f"{spread}, samples {samples}, errors {errors}, valid {valid}"

    def _measure(self) -> None:
        due = time.monotonic() + min(FIRST_SAMPLE_S, self._pace.seconds)
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            self._take()
            due += self._pace.seconds * (1 + self._pace.lost)

    def _take(self) -> None:
        wrong = self._wrong
        sample = self._meter.sample(console.timestamp(), negative=wrong.negative, uncertain=wrong.uncertain)
        self.samples.append(sample)
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as log:
                log.write(f"{logged(sample, self._mark, self._meter.channels.first)}\n")
        for complaint in complaints(sample):
            console.say(complaint)


def complaints(sample: Sample) -> list[str]:
    """What the daemon says about a sample it cannot vouch for."""
    said = ["ERROR: Current appears to be too high for set range"] if sample.overload else []
    if sample.uncertainty is None:
        said.append("ERROR: Can't evaluate uncertainty of this sample!")
        said.append("WARNING: Uncertainty unknown for the last measurement sample!")
    elif sample.uncertainty > UNCERTAINTY_LIMIT:
        percent = f"{sample.uncertainty * 100:.2f}%"
        said.append(f"WARNING: Uncertainty {percent}, which is above 1.00% limit for the last sample!")
    return said


def quantities(reading: Reading) -> str:
    """Watts, volts, amperes and power factor with their names, six digits each."""
    values = ("Watts", reading.watts), ("Volts", reading.volts), ("Amps", reading.amps), ("PF", reading.power_factor)
    return ",".join(f"{name},{value:.6f}" for name, value in values)


def logged(sample: Sample, mark: str, first: int) -> str:
    """A line of the `-l` file: with the mark, and the channels by their numbers."""
    line = f"Time,{sample.time},{quantities(sample.total)},Mark,{mark}"
    if len(sample.channels) == 1:
        return line
    return line + "".join(f",Ch{n},{quantities(one)}" for n, one in enumerate(sample.channels, first))


def sent(sample: Sample, *, channels: bool) -> str:
    """A line of RL: without the mark, and each channel only where all were asked for."""
    line = f"Time,{sample.time},{quantities(sample.total)}"
    return line + "".join(f",{quantities(one)}" for one in sample.channels) if channels else line
