"""The command line: PTDaemon's own options, and after them those of the simulation."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from analyzer_simulator.devices import DEVICES

# A power server starts us with PTDaemon's options only, so the simulation's own come through the environment too.
VARIABLE = "ANALYZER_SIMULATOR"


class Fault(Enum):
    """What goes wrong on purpose."""

    UNCERTAIN = "uncertain"  # samples of the second measurement are above the 1 % limit
    NEGATIVE = "negative"  # watts below zero, as of a meter that is wired the wrong way round
    DROP = "drop"  # the daemon ends in the second measurement
    USB = "usb"  # the meter's USB link stutters once in the second measurement
    SLOW = "slow"  # late replies, and a sample only every third time
    WRONG_VERSION = "wrong-version"  # an old release
    NO_HELLO = "no-hello"  # something else than PTDaemon listens
    MUTE = "mute"  # listens, never answers
    CUT_LINE = "cut-line"  # the last sample of the second measurement is cut off
    UNREACHABLE = "unreachable"  # no meter at the other end of the cable
    DEBRIS = "debris"  # an error of the meter after ranging


@dataclass(frozen=True)
class Options:
    """One simulated daemon with its meter.

    Watts are those of the whole load, times in seconds; with `sample_ms` 0 the client's interval is taken.
    """

    device: int
    device_port: str
    port: int
    log: str
    channel: str | None
    faults: frozenset[Fault]
    idle_watts: float
    busy_watts: float
    follow: str
    volts: float
    seed: int
    sample_ms: int
    range_delay: float
    drop_after: float
    version: str


def read(argv: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Options of the command line; those in the environment come first, so the command line decides.

    Raises:
        SystemExit: with argparse's words, for an unknown option or device.
    """
    given = _parser().parse_args([*shlex.split(environment.get(VARIABLE, "")), *argv])
    faults = frozenset(fault for faults in given.fault for fault in faults)
    return Options(
        device=given.device,
        device_port=given.device_port,
        port=given.port,
        log=given.log,
        channel=given.channel,
        faults=faults,
        idle_watts=given.idle_watts,
        busy_watts=given.busy_watts,
        follow=given.follow,
        volts=given.volts or (48.0 if DEVICES[given.device].dc else 230.0),
        seed=given.seed,
        sample_ms=given.sample_ms,
        range_delay=given.range_delay,
        drop_after=given.drop_after,
        version="1.9.2" if Fault.WRONG_VERSION in faults else given.ptd_version,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="analyzer_simulator", description=__doc__, allow_abbrev=False)
    _add_ptdaemon(parser.add_argument_group("as PTDaemon has them"))
    _add_simulation(parser.add_argument_group(f"the simulation's own, also in the variable {VARIABLE}"))
    parser.add_argument("device", type=int, choices=sorted(DEVICES), help="PTDaemon's number of the device type")
    parser.add_argument("device_port", help="where the meter is attached; only repeated in the log")
    return parser


def _add_ptdaemon(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-l", dest="log", default="", help="file for the samples")
    group.add_argument("-p", dest="port", type=int, default=8888, help="port to listen on, on 127.0.0.1")
    group.add_argument("-c", dest="channel", help="channel, or first channel and number of channels")
    group.add_argument("-b", dest="board", help="GPIB board")
    for flag in "DngyU":
        group.add_argument(f"-{flag}", action="store_true", help=argparse.SUPPRESS)


def _add_simulation(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault", action="append", type=_faults, default=[], help=", ".join(fault.value for fault in Fault)
    )
    group.add_argument("--idle-watts", type=float, default=60.0, help="load with nothing to do")
    group.add_argument("--busy-watts", type=float, default=120.0, help="load with all there is to do")
    group.add_argument("--follow", default="busy", help="busy, cpu (of this host), or a process id")
    group.add_argument("--volts", type=float, default=0.0, help="supply (default 230 V, DC meters 48 V)")
    group.add_argument("--seed", type=int, default=1, help="seed of the load's ripple")
    group.add_argument("--sample-ms", type=int, default=0, help="a shorter sampling interval, for tests")
    group.add_argument("--range-delay", type=float, default=0.5, help="seconds that a change of range takes")
    group.add_argument("--drop-after", type=float, default=0.5, help="seconds until the fault drop happens")
    group.add_argument("--ptd-version", default="1.11.1", help="release to report")


def _faults(names: str) -> list[Fault]:
    known = {fault.value: fault for fault in Fault}
    if unknown := [name for name in names.split(",") if name not in known]:
        raise argparse.ArgumentTypeError(f"no fault {', '.join(unknown)}; known are {', '.join(known)}")
    return [known[name] for name in names.split(",")]
