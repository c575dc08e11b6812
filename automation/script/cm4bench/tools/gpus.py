"""The NVIDIA GPUs of this host as the driver's own library (NVML) tells them; nothing is guessed."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

__all__ = ["Gpu", "Nvidia", "read_nvidia"]


class Gpu(NamedTuple):
    """One GPU; `memory` in bytes, `capability` as `9.0`."""

    name: str
    memory: int = 0
    capability: str = ""


class Nvidia(NamedTuple):
    """The driver with its GPUs. `cuda`: the newest CUDA version it runs; `problem`: why nothing is known."""

    driver: str = ""
    cuda: str = ""
    gpus: tuple[Gpu, ...] = ()
    problem: str = ""


def read_nvidia(nvml: Any = None) -> Nvidia:
    """Ask NVML (`nvml` stands in for pynvml in tests). Never raises: what went wrong is in `problem`."""
    try:
        nvml = nvml or importlib.import_module("pynvml")
        nvml.nvmlInit()
    except ImportError:
        return Nvidia(problem="the Python package nvidia-ml-py is not installed")
    except Exception as error:  # NVMLError is made at run time, by code that may be missing
        return Nvidia(problem=f"NVML: {error}")
    try:
        return _read(nvml)
    except nvml.NVMLError as error:
        return Nvidia(problem=f"NVML: {error}")
    finally:
        nvml.nvmlShutdown()


def _read(nvml: Any) -> Nvidia:
    number = int(nvml.nvmlSystemGetCudaDriverVersion_v2())
    handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(nvml.nvmlDeviceGetCount())]
    gpus = tuple(_gpu(nvml, handle) for handle in handles)
    return Nvidia(_text(nvml.nvmlSystemGetDriverVersion()), f"{number // 1000}.{number % 1000 // 10}", gpus)


def _gpu(nvml: Any, handle: Any) -> Gpu:
    capability = ".".join(str(n) for n in nvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Gpu(_text(nvml.nvmlDeviceGetName(handle)), int(nvml.nvmlDeviceGetMemoryInfo(handle).total), capability)


def _text(value: Any) -> str:
    """Older bindings return bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
