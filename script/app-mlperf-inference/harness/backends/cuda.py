"""CUDA helpers of the PyTorch backend. Everything here but the refusals is untested on hardware."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.config import Residency
from harness.errors import HarnessError


def require(name: str) -> Any:
    """Return the torch.device for `cuda` or `cuda:N`.

    Raises:
        HarnessError: kind `device`, saying what was found instead.
    """
    import torch

    if not torch.cuda.is_available():
        raise HarnessError(
            "device", f"device {name!r} was asked for, but {_found()}", "choose device cpu, or see nvidia-smi"
        )
    device = torch.device(name if ":" in name else "cuda:0")
    if device.index >= torch.cuda.device_count():
        names = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
        raise HarnessError("device", f"device {name!r} was asked for, but only these exist: {', '.join(names)}")
    torch.cuda.set_device(device)
    return device


def _found() -> str:
    """One sentence on why torch sees no GPU."""
    import torch

    nodes = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    seen = f"GPU device nodes: {', '.join(nodes)}" if nodes else "this machine shows no /dev/nvidia* node"
    if torch.version.cuda is None:
        return f"torch {torch.__version__} was built without CUDA; {seen}"
    return f"torch {torch.__version__} (CUDA {torch.version.cuda}) can use no GPU; {seen}; driver: {_driver()}"


def _driver() -> str:
    try:
        import pynvml

        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except Exception as error:
        return f"NVML not usable ({error})"


def keep_on_device(residency: Residency, needed: int, device: Any) -> bool:
    """Decide where `needed` bytes of samples live; `auto`: on the GPU if they take at most half of its free memory."""
    import torch

    if residency == "host":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    if residency == "device" and needed > free:
        raise HarnessError(
            "device", f"residency 'device' needs {needed >> 20} MiB for the samples, {device} has {free >> 20} MiB free"
        )
    return residency == "device" or needed <= free // 2


def uuid(device: Any) -> str:
    """NVML's name of the GPU, which stays right under CUDA_VISIBLE_DEVICES."""
    import torch

    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def start_copy_back(outputs: Sequence[Any]) -> tuple[list[Any], Any]:
    """Enqueue copies of (small) outputs into pinned memory; returns them with the event that marks their end."""
    import torch

    pinned = [torch.empty(output.shape, dtype=output.dtype, pin_memory=True) for output in outputs]
    for copy, output in zip(pinned, outputs, strict=True):
        copy.copy_(output, non_blocking=True)
    done = torch.cuda.Event()  # type: ignore[no-untyped-call]
    done.record(torch.cuda.current_stream(outputs[0].device))  # the current device differs between threads
    return pinned, done


def finish_copy_back(ticket: tuple[list[Any], Any]) -> list[Any]:
    """Wait for those copies."""
    pinned, done = ticket
    done.synchronize()
    return pinned
