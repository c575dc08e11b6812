"""Requests of a client and the replies to them, line by line."""

from __future__ import annotations

import platform
import time
import zlib
from dataclasses import dataclass, field

from analyzer_simulator import console
from analyzer_simulator.measurement import Measurement, Pace, Wrongness, sent
from analyzer_simulator.meter import Meter, Sample
from analyzer_simulator.options import Fault, Options

MOST_SAMPLES = 500000
SLOW_REPLY_S = 1.5
LOST_WHEN_SLOW = 2
IDENTITY = "YOKOGAWA;simulated;0;F1.00"


@dataclass
class Protocol:
    """One daemon's state; `answer` takes a request and gives the lines of the reply."""

    options: Options
    meter: Meter
    measurement: Measurement | None = None
    measured: int = field(default=0)

    def answer(self, request: str) -> list[str]:
        """All lines of the reply to a request; an empty list is silence."""
        if Fault.MUTE in self.options.faults:
            return []
        if Fault.SLOW in self.options.faults:
            time.sleep(SLOW_REPLY_S)
        word, *rest = [part.strip() for part in request.split(",")]
        reply = getattr(self, f"_{_METHODS[word.lower()]}", None) if word.lower() in _METHODS else None
        return reply(rest) if reply else ["Unknown command"]

    def end(self) -> None:
        """End the running measurement, if there is one."""
        if self.measurement and self.measurement.running:
            self.measurement.stop()

    def _hello(self, _: list[str]) -> list[str]:
        return ["Good day" if Fault.NO_HELLO in self.options.faults else "Hello, PTDaemon here!"]

    def _identify(self, _: list[str]) -> list[str]:
        channels = self.meter.channels.count
        built = f"version={self.options.version}-{zlib.crc32(__doc__.encode()):08x}-simulated"
        host = f"OS={platform.system()} {platform.release()}"
        name = self.meter.device.name
        return [f"{name},1000,1,1,1,1,0,0,1,{built},{host},mode=power,1,1,{channels},0,0,no_cal_date,{IDENTITY}"]

    def _ranges(self, _: list[str]) -> list[str]:
        amps, volts = self.meter.amps, self.meter.volts
        return [f"Ranges,{amps.auto:d},{amps.value:.6f},{volts.auto:d},{volts.value:.6f}"]

    def _set_range(self, given: list[str]) -> list[str]:
        ranges = {"V": (self.meter.volts, "Volt"), "A": (self.meter.amps, "Ampere")}
        if len(given) != 2 or given[0].upper() not in ranges:
            return ["Invalid number of parameters"]
        which, name = ranges[given[0].upper()]
        if not which.set(given[1]):
            return [f"Error: no range of this meter holds {given[1]}"]
        console.say(f"{name} range set to {given[1] if which.auto else which.value}")
        time.sleep(self.options.range_delay)
        return [f"Range {given[0].upper()} changed"]

    def _go(self, given: list[str]) -> list[str]:
        if len(given) < 3 or not given[0].isdecimal():
            return ["Invalid number of parameters"]
        if self.measurement and self.measurement.running:
            return ["Error: a measurement is running"]
        interval, rampup, mark = given[0], given[1], ",".join(given[2:])
        console.say(f"Go with mark '{mark}'")
        self.measured += 1
        pace = Pace(
            (self.options.sample_ms or int(interval)) / 1000, LOST_WHEN_SLOW if Fault.SLOW in self.options.faults else 0
        )
        self.measurement = Measurement(self.meter, mark, pace, self._wrongness(), self.options.log)
        limit = f"maximum {MOST_SAMPLES} samples at {interval}ms with {rampup} rampup samples"
        return [f"Starting untimed measurement, {limit}"]

    def _wrongness(self) -> Wrongness:
        faults = self.options.faults
        return Wrongness(Fault.NEGATIVE in faults, Fault.UNCERTAIN in faults and self.measured > 1)

    def _stop(self, _: list[str]) -> list[str]:
        if not self.measurement or not self.measurement.running:
            return ["Error: no measurement to stop"]
        self.measurement.stop()
        return ["Stopping untimed measurement"]

    def _watts(self, _: list[str]) -> list[str]:
        return [self.measurement.watts() if self.measurement else "No data"]

    def _uncertainty(self, _: list[str]) -> list[str]:
        return [self.measurement.uncertainty() if self.measurement else "No data"]

    def _read_last(self, given: list[str]) -> list[str]:
        device, channels = self.meter.device, self.meter.channels
        if device.dc:
            return ["Unknown command"]
        if given and not device.multichannel:
            return ["Invalid number of parameters"]
        unread = self._unread()
        if not given:
            return [f"Last {len(unread)} samples", *self._lines(unread, channels=False)]
        which = f"channels {channels.first} - {channels.first + channels.count - 1}"
        return [f"Last {len(unread)} samples from sum channel and {which}", *self._lines(unread, channels=True)]

    def _read_last_dc(self, _: list[str]) -> list[str]:
        if not self.meter.device.dc:
            return ["Unknown command"]
        unread = self._unread()
        return [f"Last {len(unread)} samples", *self._lines(unread, channels=False)]

    def _unread(self) -> list[Sample]:
        return self.measurement.unread() if self.measurement else []

    def _lines(self, samples: list[Sample], *, channels: bool) -> list[str]:
        lines = [sent(sample, channels=channels) for sample in samples]
        if lines and Fault.CUT_LINE in self.options.faults and self.measured > 1:
            lines[-1] = lines[-1][: len(lines[-1]) // 2]
        return lines


_METHODS = {
    "hello": "hello",
    "identify": "identify",
    "rr": "ranges",
    "sr": "set_range",
    "go": "go",
    "stop": "stop",
    "watts": "watts",
    "uncertainty": "uncertainty",
    "rl": "read_last",
    "dc-rl": "read_last_dc",
}
