"""The analyzers that can be simulated: PTDaemon's device numbers, and the ranges of each meter."""

from __future__ import annotations

from dataclasses import dataclass

_WT300_AMPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_WT330_AMPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_WT500_AMPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)
_WT300_VOLTS = (15.0, 30.0, 60.0, 150.0, 300.0, 600.0)
_WT500_VOLTS = (15.0, 30.0, 60.0, 100.0, 150.0, 300.0, 600.0, 1000.0)


@dataclass(frozen=True)
class Device:
    """A kind of analyzer; ranges are RMS values in amperes and volts, smallest first."""

    name: str
    amps: tuple[float, ...]
    volts: tuple[float, ...]
    multichannel: bool = False
    dc: bool = False


DEVICES = {
    8: Device("YokogawaWT210", _WT300_AMPS, _WT300_VOLTS),
    35: Device("YokogawaWT500", _WT500_AMPS, _WT500_VOLTS),
    48: Device("YokogawaWT500_multichannel", _WT500_AMPS, _WT500_VOLTS, multichannel=True),
    49: Device("YokogawaWT310", _WT300_AMPS, _WT300_VOLTS),
    52: Device("YokogawaWT330", _WT330_AMPS, _WT300_VOLTS),
    77: Device("YokogawaWT330_multichannel", _WT330_AMPS, _WT300_VOLTS, multichannel=True),
    508: Device("YokogawaWT210_DC", _WT300_AMPS, _WT300_VOLTS, dc=True),
    549: Device("YokogawaWT310_DC", _WT300_AMPS, _WT300_VOLTS, dc=True),
    586: Device("YokogawaWT330_DC", _WT330_AMPS, _WT300_VOLTS, dc=True),
}


@dataclass(frozen=True)
class Channels:
    """Which elements of the meter are read: `first` is the number of the first one, counted from 1."""

    first: int
    count: int

    @classmethod
    def of(cls, device: int, given: str | None) -> Channels:
        """From PTDaemon's `-c`: `n`, or `first,count`. A WT500 is given the count alone."""
        if not DEVICES[device].multichannel:
            return cls(int(given or 1), 1)
        numbers = [int(part) for part in (given or "1").split(",")]
        return cls(numbers[0], numbers[1]) if len(numbers) > 1 else cls(1, numbers[0])
