"""One measured run of a client: ranging, then testing with the ranges that ranging found."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from mlperf_power.devices import DEVICES
from mlperf_power.errors import PowerError
from mlperf_power.ptdaemon import Ptdaemon, Readings
from mlperf_power.record import Record, Uuids
from mlperf_power.samples import Sample, merge, peaks
from mlperf_power.settings import AnalyzerSettings, ServerSettings

log = logging.getLogger("mlperf_power")

# Fixed ranges leave this much room above the highest current of ranging, as power-dev's server does.
HEADROOM = 1.1


class Stage(Enum):
    """How far a session is."""

    NEW = 0
    RANGING = 1
    RANGED = 2
    TESTING = 3
    TESTED = 4


class Session:
    """A session and its folder: `power/`, and `ranging/` and `run_1/` with one spl.txt each.

    `settle` waits between changes of the analyzers; it may raise to break the session off.
    """

    def __init__(self, settings: ServerSettings, label: str, settle: Callable[[float], None], record: Record) -> None:
        self.record = record
        self._settings = settings
        self._settle = settle
        self._stage = Stage.NEW
        self._ranges: list[tuple[str, str]] = []
        self.name, self.folder = _new_folder(settings.out_dir, label)
        self.power = self.folder / "power"
        self.power.mkdir()
        self._daemons = [Ptdaemon(settings, analyzer, self.power) for analyzer in settings.analyzers]
        record.session_name = self.name
        record.debug = settings.debug
        record.ptd_config = [
            _config(analyzer, daemon.command)
            for analyzer, daemon in zip(settings.analyzers, self._daemons, strict=True)
        ]

    def identify(self, client: str) -> str:
        """Note who the client is; our own identity for this session."""
        self.record.uuid = Uuids(client, str(uuid.uuid4()))
        return self.record.uuid.server

    def start(self, mode: str, ranges: tuple[str, str] | None = None) -> None:
        """Begin to measure; `ranges` (volts, amperes) stand in for a ranging run. Raises PowerError."""
        if mode == "ranging":
            self._require(Stage.NEW, mode)
        else:
            self._require(Stage.NEW if ranges else Stage.RANGED, mode)
        self.record.begin_phase(mode, 0)
        self._on_all(Ptdaemon.start)
        for daemon, (volts, amps) in zip(self._daemons, self._wanted_ranges(mode, ranges), strict=True):
            daemon.set_ranges(volts, amps)
            if mode == "ranging":
                # power-dev's server sends this twice, and its checker counts on it: the fourth one gives the range back
                daemon.set_amps(amps)
        self._settle(self._settings.settle)
        log.info("starting %s", mode)
        self._on_all(lambda daemon: daemon.go(f"{self.name}_{mode}"))
        self._stage = Stage.RANGING if mode == "ranging" else Stage.TESTING
        self.record.begin_phase(mode, 1)

    def stop(self, mode: str) -> None:
        """End the measurement, read it and write it. Raises PowerError."""
        self._require(Stage.RANGING if mode == "ranging" else Stage.TESTING, mode)
        self.record.begin_phase(mode, 2)
        self._settle(self._settings.settle)
        self._on_all(Ptdaemon.stop)
        readings = self._on_all(Ptdaemon.read)
        folder = self.folder / ("ranging" if mode == "ranging" else "run_1")
        folder.mkdir()
        self._write_samples(folder, mode, readings)
        if mode == "ranging":
            self._ranges = [self._fixed(daemon, read.samples) for daemon, read in self._pairs(readings)]
            self._stage = Stage.RANGED
        else:
            (folder / "ptd_out.txt").write_text("".join(_words(daemon, read) for daemon, read in self._pairs(readings)))
            self.collect_logs()
            self._stage = Stage.TESTED
        self.record.begin_phase(mode, 3)

    def end(self) -> None:
        """Give the analyzers back as they were and end their PTDaemons; never raises."""
        self._on_all(Ptdaemon.abort)
        self.record.ptd_messages = [exchange for daemon in self._daemons for exchange in daemon.exchanges]

    def collect_logs(self) -> None:
        """What all PTDaemons have said so far, as ptd_logs.txt."""
        texts = [
            f"Analyzer {daemon.analyzer.number}\n{daemon.log.read_text(encoding='utf-8', errors='replace')}"
            for daemon in self._daemons
            if daemon.log.is_file()
        ]
        (self.power / "ptd_logs.txt").write_text("".join(texts), encoding="utf-8", newline="\n")

    def _require(self, stage: Stage, mode: str) -> None:
        if self._stage is not stage:
            raise PowerError(f"{mode} was asked for out of turn: the session is {self._stage.name.lower()}")

    def _wanted_ranges(self, mode: str, given: tuple[str, str] | None) -> list[tuple[str, str]]:
        if given:
            return [given] * len(self._daemons)
        return (
            [("Auto", self._ranging_amps(one.analyzer)) for one in self._daemons] if mode == "ranging" else self._ranges
        )

    def _ranging_amps(self, analyzer: AnalyzerSettings) -> str:
        most = DEVICES[analyzer.device].most_amps
        return f"{most:g}" if self._settings.ranging_mode == "MAX" and most else "Auto"

    @staticmethod
    def _fixed(daemon: Ptdaemon, samples: tuple[Sample, ...]) -> tuple[str, str]:
        volts, amps = peaks(samples, *daemon.analyzer.channels())
        log.info("%s: at most %g V and %g A in ranging", daemon.name, volts, amps)
        return f"{volts:.6f}", f"{amps * HEADROOM:.6f}"

    def _write_samples(self, folder: Path, mode: str, readings: list[Readings]) -> None:
        mark = f"{self.name}_{mode}"
        logs = [
            [sample.line(mark, daemon.analyzer.channels()[0] or 1) for sample in read.samples]
            for daemon, read in self._pairs(readings)
        ]
        if len(logs) > 1:
            for number, lines in enumerate(logs, 1):
                _write_lines(folder / f"spl_analyzer_{number}.txt", lines)
        _write_lines(folder / "spl.txt", merge(logs) if len(logs) > 1 else logs[0])

    def _pairs(self, readings: list[Readings]) -> Iterable[tuple[Ptdaemon, Readings]]:
        return zip(self._daemons, readings, strict=True)

    def _on_all(self, action: Callable[[Ptdaemon], Any]) -> list[Any]:
        """The same for every analyzer at the same time, since their samples are added up."""
        with ThreadPoolExecutor(len(self._daemons)) as pool:
            return list(pool.map(action, self._daemons))


def _new_folder(parent: Path, label: str) -> tuple[str, Path]:
    """Named by the second; a session that began in the same one is waited for."""
    try:
        while True:
            name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S") + (f"_{label}" if label else "")
            folder = parent.absolute() / name
            if not folder.exists():
                break
            time.sleep(0.1)
        folder.mkdir(parents=True)
    except OSError as error:
        raise PowerError(
            f"the session's folder {folder} cannot be made: {error.strerror}", "set another outDir"
        ) from error
    return name, folder


def _config(analyzer: AnalyzerSettings, command: list[str]) -> dict[str, Any]:
    settings = asdict(analyzer)
    return {
        "command": command,
        "device_type": settings["device"],
        "interface_flag": settings["interface_flag"],
        "dc_flag": settings["dc_flag"] or None,
        "device_port": settings["device_port"],
        "channel": list(settings["channel"]) or None,
    }


def _words(daemon: Ptdaemon, read: Readings) -> str:
    return f"Analyzer {daemon.analyzer.number}:\nPower: {read.watts}\nUncertainty: {read.uncertainty}\n"


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
