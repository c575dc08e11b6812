"""One PTDaemon: its process, and the conversation with it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from mlperf_power.errors import ConnectionLost, PowerError
from mlperf_power.record import PtdExchange
from mlperf_power.samples import Sample, read_sample
from mlperf_power.settings import AnalyzerSettings, ServerSettings
from mlperf_power.wire import Lines, connect

log = logging.getLogger("mlperf_power")

GREETING = "Hello, PTDaemon here!"
INTERVAL_MS = 1000
_HEADER = re.compile(r"Last (\d+) samples")
_STOPS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Readings:
    """What a measurement left: samples, and PTDaemon's own words on watts and uncertainty."""

    samples: tuple[Sample, ...]
    watts: str
    uncertainty: str


class Ptdaemon:
    """PTDaemon of one analyzer. `exchanges` keeps all requests and replies; the logs go to `folder`."""

    def __init__(self, settings: ServerSettings, analyzer: AnalyzerSettings, folder: Path) -> None:
        self.name = f"analyzer {analyzer.number}"
        self.analyzer = analyzer
        self.exchanges: list[PtdExchange] = []
        self.log = folder / f"ptd_logs_analyzer_{analyzer.number}.txt"
        self.command = analyzer.command(settings.ptd, folder / f"ptd_logfile_{analyzer.number}.log")
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: Lines | None = None
        self._ranges_before = ("Auto", "Auto")

    def start(self) -> None:
        """Start the process, greet it and remember its ranges. Raises PowerError."""
        if self._process is not None:
            return
        if port_is_taken(self.analyzer.network_port):
            raise PowerError(
                f"{self.name}: port {self.analyzer.network_port}, where its PTDaemon shall listen, is in use",
                "end what uses it (a PTDaemon of before?), or set another networkPort",
            )
        log.info("%s: starting PTDaemon: %s", self.name, self.command)
        self._process = self._popen()
        try:
            self._lines = self._connect()
            self._greet()
        except PowerError:
            self.end()
            raise

    def ask(self, command: str) -> str:
        """A request and its one line of reply. Raises PowerError: no reply in time, or the daemon has ended."""
        if self._lines is None:
            raise self._ended()
        try:
            reply = self._lines.ask(command)
        except ConnectionLost as error:
            self._lines.close()
            self._lines = None  # what does not answer once is not waited for again
            raise self._ended() if self._has_ended() else error from None
        log.info("%s: %r, answered %r", self.name, command, reply)
        self.exchanges.append(PtdExchange(command, reply))
        return reply

    def require(self, command: str, expected: str) -> None:
        """A request whose reply is known. Raises PowerError where it is another."""
        if (reply := self.ask(command)) != expected:
            raise PowerError(f"{self.name}: PTDaemon answered {command!r} with {reply!r}", f"look into {self.log}")

    def set_ranges(self, volts: str, amps: str) -> None:
        """`Auto`, or numbers that the range shall hold."""
        self.require(f"SR,V,{volts}", "Range V changed")
        self.set_amps(amps)

    def set_amps(self, amps: str) -> None:
        self.require(f"SR,A,{amps}", "Range A changed")

    def go(self, mark: str) -> None:
        start = f"Starting untimed measurement, maximum 500000 samples at {INTERVAL_MS}ms with 0 rampup samples"
        self.require(f"Go,{INTERVAL_MS},0,{mark}", start)

    def stop(self) -> None:
        self.require("Stop", "Stopping untimed measurement")

    def read(self) -> Readings:
        """All samples that were not read yet."""
        header = self.ask("RL,*,*")
        if "Invalid number of parameters" in header:  # one channel only
            header = self.ask("RL")
        elif "Unknown command" in header:  # a DC meter
            header = self.ask("DC-RL")
        found = _HEADER.match(header)
        if not found:
            raise PowerError(f"{self.name}: PTDaemon gave no samples but {header!r}", f"look into {self.log}")
        samples = tuple(read_sample(self._receive()) for _ in range(int(found[1])))
        uncertainty = self.ask("Uncertainty")
        return Readings(samples, self.ask("Watts"), uncertainty)

    def end(self) -> None:
        """Give the analyzer its ranges back and end the process; never raises."""
        if self._lines is not None:
            volts, amps = self._ranges_before
            with contextlib.suppress(PowerError):
                if any(exchange.cmd.startswith("SR,") for exchange in self.exchanges):
                    self.set_ranges(volts, amps)
            self._lines.close()
            self._lines = None
        if self._process is not None:
            end_process(self._process)
            self._process = None

    def abort(self) -> None:
        """Stop a measurement that goes on, then `end`; never raises."""
        if self._lines is not None and any(exchange.cmd.startswith("Go,") for exchange in self.exchanges[-1:]):
            with contextlib.suppress(PowerError):
                self.ask("Stop")
        self.end()

    def _popen(self) -> subprocess.Popen[bytes]:
        try:
            with self.log.open("ab") as output:
                return subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "TZ": "UTC"},
                    start_new_session=True,  # Ctrl-C is for us: we end it when the analyzer has its ranges back
                )
        except OSError as error:
            raise PowerError(
                f"{self.name}: PTDaemon {self.command[0]} cannot be started: {error.strerror}",
                'cmr "get spec ptd" says how to come by it; cmr "run mlperf power analyzer simulator" stands in for it',
            ) from error

    def _connect(self) -> Lines:
        until = time.monotonic() + self._settings.start_patience
        while time.monotonic() < until:
            if self._has_ended():
                raise self._ended()
            with contextlib.suppress(OSError):
                return connect(
                    "127.0.0.1", self.analyzer.network_port, f"{self.name}: PTDaemon", self._settings.reply_patience
                )
            time.sleep(0.05)
        raise PowerError(
            f"{self.name}: PTDaemon did not open port {self.analyzer.network_port} within "
            f"{self._settings.start_patience:g} s",
            f"look into {self.log}",
        )

    def _greet(self) -> None:
        if (reply := self.ask("Hello")) != GREETING:
            listens = f"what listens on port {self.analyzer.network_port}"
            raise PowerError(
                f"{self.name}: {listens} is no PTDaemon: it says {reply[:80]!r}", "set `ptd` to SPEC's PTDaemon"
            )
        self.ask("Identify")
        words = self.ask("RR").split(",")
        self._ranges_before = (_fixed_range(words[3:5]), _fixed_range(words[1:3]))

    def _receive(self) -> str:
        assert self._lines is not None
        return self._lines.receive()

    def _has_ended(self) -> bool:
        """A daemon that just closed its socket may need a moment to be gone."""
        if self._process is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)
        return self._process.returncode is not None

    def _ended(self) -> PowerError:
        last = _last_words(self.log)
        return PowerError(
            f"{self.name}: PTDaemon has ended" + (f"; its last words: {last}" if last else ""),
            f"is the analyzer switched on and connected to {self.analyzer.device_port}? All it said: {self.log}",
        )


def port_is_taken(port: int) -> bool:
    """Whether somebody listens there on this host."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it after ten seconds."""
    process.terminate()
    try:
        process.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fixed_range(words: list[str]) -> str:
    """`Auto`, or the range of a reply to RR: a flag for auto range, and a number."""
    try:
        return words[1] if words[0] == "0" and float(words[1]) > 0 else "Auto"
    except (IndexError, ValueError):
        return "Auto"


def _last_words(path: Path) -> str:
    with contextlib.suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""
    return ""
