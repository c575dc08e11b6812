"""A run under measurement: the hook for whoever starts loadgen runs of his own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mlperf_power.errors import PowerError
from mlperf_power.record import hash_folder


def wrap(command: Sequence[str], performance: Path, server: str, ntp_server: str, *more: str) -> list[str]:
    """The command line that runs `command` twice under measurement, from the command line that runs it once.

    Args:
        command: its words; it must write loadgen's logs to `performance/run_1`, each time anew.
        performance: the folder that has power/, ranging/ and run_1/spl.txt afterwards.
        server: host of the power server.
        ntp_server: host, or host:port.
        more: further words of `mlperf_power wrap`, such as `--port=4951`.

    The package's folder must be on PYTHONPATH where it is run.
    """
    words = [sys.executable, "-m", "mlperf_power", "wrap", "--performance", str(performance)]
    return [*words, "--server", server, "--ntp-server", ntp_server, *more, "--", *command]


def measured_folder(performance: Path) -> Path:
    """Where the client puts its files before `adopt`."""
    return performance / "measured"


def adopt(performance: Path) -> None:
    """Put what the client gathered beside the run that it measured last.

    Raises:
        PowerError: the logs in run_1 are not those that were measured, or there are files of another measurement.
    """
    measured = measured_folder(performance)
    run = performance / "run_1"
    ours, theirs = hash_folder(measured / "run_1"), hash_folder(run)
    for name in ("mlperf_log_detail.txt", "mlperf_log_summary.txt"):
        if ours.get(name) is None or ours[name] != theirs.get(name):
            raise PowerError(f"{run / name} is not the one that was measured", f"the measured one is in {measured}")
    for name in ("power", "ranging"):
        if (performance / name).exists():
            raise PowerError(f"{performance / name} is of another measurement", "remove it, or use another folder")
    shutil.copyfile(measured / "run_1" / "spl.txt", run / "spl.txt")
    for name in ("ranging", "power"):
        if (measured / name).is_dir():
            (measured / name).rename(performance / name)
    shutil.rmtree(measured)
