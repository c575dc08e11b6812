"""The measured command: a process group of its own, which ends when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from mlperf_power.errors import PowerError

_ENDS_WITHIN_S = 10.0


def run(command: str, mode: str, timeout: float | None, cwd: Path | None = None) -> None:
    """Run a shell command and wait for it; Ctrl-C ends it, with all it started.

    Raises:
        PowerError: it failed, or took longer than `timeout` seconds.
        KeyboardInterrupt: after the command was ended.
    """
    process = subprocess.Popen(command, shell=True, cwd=cwd, start_new_session=True)
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise PowerError(
            f"the command took longer than {timeout:g} s in the {mode} run", "give it more: --command_timeout=SECONDS"
        ) from error
    finally:
        _end(process)
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"failed with exit code {status}"
        raise PowerError(f"the command {how} in the {mode} run: {command}", "run it alone first; what it says is above")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
