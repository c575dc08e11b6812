"""Nothing that a step started goes on after the engine was told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ENGINE = """
import sys
from pathlib import Path
from cm4bench.native import NativeRun
folder = Path(sys.argv[1])
NativeRun(folder, folder / "a.log", show=False)(folder / "run.sh", {}, {})
"""


@pytest.mark.skipif(not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists(), reason="needs Linux")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_of_a_native_script_ends_with_the_engine(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "run.sh").write_text("sleep 300 &\necho $! > pid\nwait\n")
    source = Path(__file__).parents[2] / "automation" / "script"
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stderr=subprocess.DEVNULL,
    )
    command = int(_written(tmp_path / "pid"))
    engine.send_signal(number)
    engine.wait(timeout=20)
    _wait_until_gone(command)


def _written(path: Path) -> str:
    for _ in range(400):
        if path.exists() and (text := path.read_text().strip()):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{path} was never written")


def _wait_until_gone(pid: int) -> None:
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "(sleep) Z" in Path(f"/proc/{pid}/stat").read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still runs")
