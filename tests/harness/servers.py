"""A SUT server in a process of its own, for the tests of the network backend."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

HARNESS = Path(__file__).resolve().parents[2] / "script" / "app-mlperf-inference"


class SutServer:
    """`address` is where it listens; `log` what it printed."""

    def __init__(self, config, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(config.to_json())
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "harness.serve", str(folder / "config.json"), "--port", "0"]
        path = os.pathsep.join([str(HARNESS), os.environ.get("PYTHONPATH", "")])
        with self._log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, "PYTHONPATH": path}, text=True
            )
        self.first_line = self.process.stdout.readline()
        self.address = self.first_line.removeprefix("SUT server: ").strip()

    @property
    def log(self):
        return self._log.read_text()

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
