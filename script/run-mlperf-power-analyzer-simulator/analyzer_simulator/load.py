"""The machine on the other side of the meter: how many watts it draws, and how they reach the channels."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# A power supply's capacitors smooth what the processor does.
TIME_CONSTANT_S = 1.5
RIPPLE = 0.004
SUPPLY_RIPPLE = 0.001
# Supplies correct their power factor the better the more they deliver.
POWER_FACTOR_IDLE = 0.90
POWER_FACTOR_BUSY = 0.99


@dataclass(frozen=True)
class Reading:
    """What one channel shows: RMS volts and amperes, active watts, and their power factor."""

    watts: float
    volts: float
    amps: float
    power_factor: float


class Load:
    """A load between `idle` and `busy` watts; `busy_share` tells how busy it is, from 0 to 1."""

    def __init__(self, idle: float, busy: float, busy_share: Callable[[], float], volts: float, seed: int) -> None:
        self._idle, self._busy, self._share, self._volts = idle, busy, busy_share, volts
        self._random = random.Random(seed)
        self._smoothed: float | None = None
        self._last = time.monotonic()

    def read(self, channels: int, *, dc: bool) -> tuple[Reading, ...]:
        """One reading per channel, the load shared evenly."""
        share = self._smooth(min(1.0, max(0.0, self._share())))
        watts = (self._idle + share * (self._busy - self._idle)) * (1 + self._random.gauss(0, RIPPLE))
        factor = 1.0 if dc else POWER_FACTOR_IDLE + share * (POWER_FACTOR_BUSY - POWER_FACTOR_IDLE)
        return tuple(self._channel(watts / channels, factor) for _ in range(channels))

    def _smooth(self, share: float) -> float:
        now = time.monotonic()
        if self._smoothed is None:
            self._smoothed = share
        else:
            self._smoothed += (share - self._smoothed) * (1 - math.exp((self._last - now) / TIME_CONSTANT_S))
        self._last = now
        return self._smoothed

    def _channel(self, watts: float, factor: float) -> Reading:
        volts = self._volts * (1 + self._random.gauss(0, SUPPLY_RIPPLE))
        return Reading(watts, volts, watts / (volts * factor), factor)


def follow(name: str) -> Callable[[], float]:
    """How busy what is named is: `busy` always, `cpu` this host, a number the process with that id.

    Raises:
        ValueError: no such thing can be followed here.
    """
    if name == "busy":
        return lambda: 1.0
    stat = Path("/proc/stat") if name == "cpu" else Path("/proc") / name / "stat"
    if not (name == "cpu" or name.isdecimal()) or not stat.is_file():
        raise ValueError(f"--follow={name}: there is no {stat}; known are busy, cpu, or the id of a running process")
    return _Follower(_host_busy if name == "cpu" else lambda: _process_busy(stat))


class _Follower:
    def __init__(self, busy_seconds: Callable[[], float]) -> None:
        self._busy_seconds = busy_seconds
        self._before = (time.monotonic(), busy_seconds())
        self._cores = os.cpu_count() or 1
        self._share = 0.0

    def __call__(self) -> float:
        now, busy = time.monotonic(), self._busy_seconds()
        elapsed = now - self._before[0]
        if elapsed >= 0.05:  # the kernel counts in hundredths of a second
            self._share = (busy - self._before[1]) / elapsed / self._cores
            self._before = (now, busy)
        return self._share


def _host_busy() -> float:
    user, nice, system = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def _process_busy(stat: Path) -> float:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it has ended
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
