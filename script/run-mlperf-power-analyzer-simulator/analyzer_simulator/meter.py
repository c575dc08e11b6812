"""The meter: ranges, samples, and how uncertain each sample is."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer_simulator.devices import Channels, Device
from analyzer_simulator.load import Load, Reading

# Yokogawa's data sheets give a part of the reading and a part of the range; these are close to a WT310 at 50 Hz.
OF_READING = 0.001
OF_RANGE = 0.0005
UNCERTAINTY_LIMIT = 0.01
# A crest factor of 3 at full range: RMS values this far above the range are cut off.
OVERLOAD = 1.3


@dataclass
class Range:
    """One range setting; `auto` follows the reading."""

    steps: tuple[float, ...]
    auto: bool = True
    value: float = 0.0

    def set(self, wanted: str) -> bool:
        """Take `Auto` or the next range that holds the number; False where there is none."""
        if wanted.lower() == "auto":
            self.auto = True
            return True
        try:
            index = bisect.bisect_left(self.steps, float(wanted))
        except ValueError:
            return False
        if not 0 <= index < len(self.steps):
            return False
        self.auto, self.value = False, self.steps[index]
        return True

    def adapt(self, reading: float) -> None:
        if self.auto:
            index = bisect.bisect_left(self.steps, abs(reading))
            self.value = self.steps[min(index, len(self.steps) - 1)]


@dataclass(frozen=True)
class Sample:
    """One line of a measurement. `uncertainty` is a share of the reading, None where it cannot be told."""

    time: str
    total: Reading
    channels: tuple[Reading, ...]
    uncertainty: float | None
    overload: bool


@dataclass
class Meter:
    """Ranges plus the load they look at."""

    device: Device
    channels: Channels
    load: Load
    amps: Range = field(init=False)
    volts: Range = field(init=False)

    def __post_init__(self) -> None:
        self.amps, self.volts = Range(self.device.amps), Range(self.device.volts)
        self.look()

    def look(self) -> tuple[Reading, ...]:
        """Read all channels; ranges that are automatic follow."""
        readings = self.load.read(self.channels.count, dc=self.device.dc)
        self.amps.adapt(max(reading.amps for reading in readings))
        self.volts.adapt(max(reading.volts for reading in readings))
        return readings

    def sample(self, time: str, *, negative: bool = False, uncertain: bool = False) -> Sample:
        readings = self.look()
        if negative:
            readings = tuple(Reading(-r.watts, r.volts, r.amps, -r.power_factor) for r in readings)
        total = combine(readings)
        overload = max(reading.amps for reading in readings) > OVERLOAD * self.amps.value
        return Sample(time, total, readings, 0.0123 if uncertain else self._uncertainty(total), overload)

    def _uncertainty(self, total: Reading) -> float | None:
        if self.amps.auto or self.volts.auto or not total.watts:
            return None
        full = self.amps.value * self.volts.value * self.channels.count
        return OF_READING + OF_RANGE * full / abs(total.watts)


def combine(readings: Sequence[Reading]) -> Reading:
    """The sum channel as a Yokogawa shows it: watts are added, volts and amperes averaged."""
    if len(readings) == 1:
        return readings[0]
    watts = sum(reading.watts for reading in readings)
    apparent = sum(reading.volts * reading.amps for reading in readings)
    count = len(readings)
    volts, amps = (sum(values) / count for values in zip(*((r.volts, r.amps) for r in readings), strict=True))
    return Reading(watts, volts, amps, watts / apparent if apparent else 0.0)
