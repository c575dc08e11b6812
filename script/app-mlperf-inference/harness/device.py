"""Device truth: what executed, where, and whether that is what was asked for."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.gpu import GpuWatch
from harness.outcome import CpuTruth, DeviceTruth
from harness.report import ChildReport


def truth(config: RunConfig, report: ChildReport, execution: Execution, gpu: GpuWatch) -> DeviceTruth:
    """Put together what the child and NVML saw."""
    wall = report.timings.loadgen_s
    return DeviceTruth(
        asked=config.device,
        used=execution.used,
        executed=execution.executed,
        precision=execution.precision,
        residency=execution.residency,
        cpu=CpuTruth(
            model=cpu_model(),
            logical_cores=os.cpu_count() or 0,
            allowed_cores=allowed_cores(),
            threads=execution.threads,
            load_average_before=report.load_average_before,
            busy_cores=report.cpu_s / wall if wall else 0.0,
        ),
        gpu=gpu.truth(),
        gpu_missing_reason=gpu.missing,
    )


def verify(config: RunConfig, execution: Execution) -> None:
    """Refuse a run that executed elsewhere, or otherwise, than asked.

    Raises:
        HarnessError: kind `device`.
    """
    if not _same_device(config.device, execution.used):
        raise HarnessError("device", f"device {config.device!r} was asked for, but the model ran on {execution.used!r}")
    if execution.precision not in (config.precision, "none"):
        raise HarnessError(
            "device", f"precision {config.precision} was asked for, but the model ran in {execution.precision}"
        )
    if config.threads is not None and execution.precision != "none" and execution.threads != config.threads:
        raise HarnessError("device", f"{config.threads} threads were asked for, but {execution.threads} were used")


def _same_device(asked: str, used: str) -> bool:
    return used == asked or (asked == "cuda" and used == "cuda:0")


def allowed_cores() -> tuple[int, ...]:
    """Logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 0))


def cpu_model() -> str:
    """Name of the processor as the kernel gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
