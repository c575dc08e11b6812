"""A power rig without hardware: simulated analyzers, a time server of our own, and our server as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlperf_power.settings import AnalyzerSettings, ServerSettings
from tests.power.timeserver import TimeServer
from tests.workbench import ROOT

SERVER = ROOT / "script" / "run-mlperf-power-server"
SIMULATOR = ROOT / "script" / "run-mlperf-power-analyzer-simulator" / "ptd-simulator"
HERE = Path(__file__).parent
QUICK = "--sample-ms 20 --range-delay 0"
LOADGEN = f"{sys.executable} {HERE / 'workload.py'} logs 0.6"
FAKE = f"{sys.executable} {HERE / 'fakeload.py'} logs 0.3"
PATIENCE_S = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def clock() -> Iterator[TimeServer]:
    server = TimeServer()
    yield server
    server.close()


def analyzer(number: int = 1, device: int = 49, **more) -> AnalyzerSettings:
    return AnalyzerSettings(number, device, free_port(), "-U", f"sim{number}", **more)


def settings(folder: Path, *analyzers: AnalyzerSettings, **more) -> ServerSettings:
    # long enough for a host that has much else to do; a passing test waits for neither
    rest = {"settle": 0.0, "start_patience": 90.0, "reply_patience": 90.0} | more
    return ServerSettings(str(SIMULATOR), "127.0.0.1", analyzers or (analyzer(),), out_dir=folder, **rest)


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch):
    """`simulate("--fault usb")`: what simulators that are started from now on do."""

    def apply(options: str = "") -> None:
        monkeypatch.setenv("ANALYZER_SIMULATOR", f"{QUICK} {options}")
        monkeypatch.setenv("CM_PYTHON_BIN_WITH_PATH", sys.executable)

    apply()
    return apply


class Rig:
    """Our server as a process, and clients of it; everything lies in `folder`."""

    def __init__(self, folder: Path, ntp: str) -> None:
        self.folder, self.ntp = folder, ntp
        self.port, self.ptd_port = free_port(), free_port()
        self.sessions = folder / "sessions"
        self._server: subprocess.Popen[str] | None = None
        self.environment = {**os.environ, "PYTHONPATH": str(SERVER), "CM_PYTHON_BIN_WITH_PATH": sys.executable}

    def conf(self) -> Path:
        path = self.folder / "server.conf"
        path.write_text(
            f"[server]\nntpServer: {self.ntp}\nlisten: 127.0.0.1 {self.port}\noutDir: {self.sessions}\n"
            f"[ptd]\nptd: {SIMULATOR}\nanalyzerCount: 1\n"
            f"[analyzer1]\nnetworkPort: {self.ptd_port}\ndeviceType: 49\ninterfaceFlag: -U\ndevicePort: sim\n"
        )
        return path

    def serve(self, simulation: str = "", settle: float = 0.05) -> Rig:
        """Start the server and wait until it is ready."""
        words = [sys.executable, "-m", "mlperf_power", "server", str(self.conf()), "--settle", str(settle)]
        environment = {**self.environment, "ANALYZER_SIMULATOR": f"{QUICK} {simulation}"}
        log = (self.folder / "server.out").open("w")
        self._server = subprocess.Popen(words, env=environment, stdout=log, stderr=log, text=True)
        self.wait_for("ready for clients")
        return self

    def said(self) -> str:
        return (self.folder / "server.out").read_text()

    def wait_for(self, words: str) -> None:
        assert self._server is not None
        until = time.monotonic() + PATIENCE_S
        while words not in self.said():
            assert time.monotonic() < until and (self._server.poll() is None or words in self.said()), self.said()
            time.sleep(0.02)

    def client_words(self, command: str = FAKE, output: str = "out", *more: str) -> list[str]:
        place = ["--server", "127.0.0.1", "--port", str(self.port), "--ntp-server", self.ntp]
        paths = ["--loadgen-logs", "logs", "--output", output]
        return [sys.executable, "-m", "mlperf_power", "client", *place, *paths, "--command", command, *more]

    def measure(self, command: str = FAKE, output: str = "out", *more: str) -> subprocess.CompletedProcess[str]:
        words = self.client_words(command, output, *more)
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S
        )

    def begin(self, command: str) -> subprocess.Popen[str]:
        words = self.client_words(command)
        log = (self.folder / "client.out").open("w")
        return subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=log, stderr=log, text=True)

    def end(self, how: int = signal.SIGINT) -> int:
        """End the server; its exit code."""
        assert self._server is not None
        self._server.send_signal(how)
        return self._server.wait(PATIENCE_S)

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()


@pytest.fixture
def rig(tmp_path: Path, clock: TimeServer) -> Iterator[Rig]:
    made = Rig(tmp_path, clock.address)
    yield made
    made.close()


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One real loadgen run, measured from end to end; its files lie in `folder/out`."""
    clock = TimeServer()
    rig = Rig(tmp_path_factory.mktemp("measured"), clock.address).serve()
    done = rig.measure(LOADGEN, "out", "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr + rig.said()
    yield rig
    rig.close()
    clock.close()
