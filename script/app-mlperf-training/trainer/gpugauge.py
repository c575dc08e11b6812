"""Load, memory, temperature and power of the GPUs that a training uses, through NVML. Untested on hardware."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.config import CONFIG, TrainConfig
from trainer.errors import TrainingError

NO_GPU = "the training used no GPU"
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class GpuState:
    """One look at one GPU; None for what this GPU or driver does not tell. ``util_percent`` is time with a kernel."""

    util_percent: float | None = None
    memory_bytes: int | None = None
    temperature_c: float | None = None
    power_w: float | None = None


@dataclass(frozen=True)
class Gpu:
    """One GPU as NVML knows it."""

    nvml: Any
    handle: Any
    name: str
    uuid: str

    def look(self) -> GpuState:
        """What it does now."""
        nvml, handle = self.nvml, self.handle
        return GpuState(
            util_percent=_told(nvml, lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
            memory_bytes=_told(nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used)),
            temperature_c=_told(nvml, lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
            power_w=_told(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000),
        )


def gpus_of(folder: Path, environment: Mapping[str, str]) -> tuple[list[Gpu], str]:
    """The GPUs that the run in ``folder`` may use, and why there are none.

    The ranks of a host take the first of its visible GPUs, one each (`trainer.engine`). CUDA and NVML count GPUs of
    one kind alike; where kinds differ, CUDA_DEVICE_ORDER=PCI_BUS_ID makes them.
    """
    try:
        config = TrainConfig.read(folder / CONFIG)
    except TrainingError as error:
        return [], error.cause
    if config.device == "cpu":
        return [], NO_GPU
    try:
        import pynvml

        pynvml.nvmlInit()
        return [_gpu(pynvml, name) for name in _wanted(config, _visible(pynvml, environment))], ""
    except Exception as error:  # NVML raises one class per cause, and without a driver its loader raises others
        return [], f"NVML cannot be read: {error}"


def _wanted(config: TrainConfig, visible: Sequence[str]) -> Sequence[str]:
    _, _, index = config.device.partition(":")
    return visible[int(index) : int(index) + 1] if index else visible[: config.processes]


def _visible(nvml: Any, environment: Mapping[str, str]) -> list[str]:
    """Indices or UUIDs, as CUDA_VISIBLE_DEVICES has them; all GPUs where it says nothing."""
    given = environment.get(VISIBLE, "").strip()
    return [one.strip() for one in given.split(",")] if given else [str(i) for i in range(nvml.nvmlDeviceGetCount())]


def _gpu(nvml: Any, name: str) -> Gpu:
    by = nvml.nvmlDeviceGetHandleByIndex if name.isdigit() else nvml.nvmlDeviceGetHandleByUUID
    handle = by(int(name) if name.isdigit() else name)
    return Gpu(nvml, handle, _text(nvml.nvmlDeviceGetName(handle)), _text(nvml.nvmlDeviceGetUUID(handle)))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _told(nvml: Any, ask: Callable[[], Any]) -> Any:
    """The answer, or None where NVML has none."""
    with contextlib.suppress(nvml.NVMLError):
        return ask()
    return None
