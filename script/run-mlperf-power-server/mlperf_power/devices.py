"""The analyzers by PTDaemon's numbers: what the servers and checks must know of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """`most_amps` is the largest current range; `channels` how many numbers the setting `channel` must have."""

    name: str
    most_amps: float | None = None
    channels: int | None = None
    dc: bool = False


# Numbers and ranges as power-dev's lib/server.py has them.
DEVICES = {
    8: Device("WT210", 20),
    35: Device("WT500", 40),
    47: Device("WT1800", 50),
    48: Device("WT500, several channels", 40, channels=1),
    49: Device("WT310", 20),
    52: Device("WT330", 20),
    59: Device("59, several channels", channels=2),
    61: Device("61, several channels", channels=2),
    66: Device("WT5000", 30),
    77: Device("WT330, several channels", 20, channels=2),
    508: Device("WT210 (DC)", 20, dc=True),
    549: Device("WT310 (DC)", 20, dc=True),
    586: Device("WT330 (DC)", 20, dc=True),
}
WT500_MULTICHANNEL = 48
