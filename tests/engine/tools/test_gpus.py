"""NVML read through a stand-in: versions, GPUs, and what goes wrong."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cm4bench.tools.gpus import Gpu, Nvidia, read_nvidia


class NVMLError(Exception):
    pass


def nvml(**changes):
    """One H100 under a driver for CUDA 12.4; older bindings give bytes."""
    memory = SimpleNamespace(total=80 * 10**9)
    functions = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: b"550.54.15",
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 12040,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda n: n,
        "nvmlDeviceGetName": lambda handle: "NVIDIA H100",
        "nvmlDeviceGetMemoryInfo": lambda handle: memory,
        "nvmlDeviceGetCudaComputeCapability": lambda handle: (9, 0),
    }
    return SimpleNamespace(NVMLError=NVMLError, **{**functions, **changes})


def failing(*_):
    raise NVMLError("Driver Not Loaded")


def test_what_nvml_tells():
    assert read_nvidia(nvml()) == Nvidia("550.54.15", "12.4", (Gpu("NVIDIA H100", 80 * 10**9, "9.0"),))


@pytest.mark.parametrize("function", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetName"])
def test_what_goes_wrong_is_told(function: str):
    assert read_nvidia(nvml(**{function: failing})) == Nvidia(problem="NVML: Driver Not Loaded")


def test_bindings_that_are_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert "nvidia-ml-py is not installed" in read_nvidia().problem
