"""What a reader must know of the machine and the software to judge a number."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_PACKAGES = ("torch", "transformers", "numpy", "mlperf-logging", "monai", "torchvision", "peft", "open-spiel")


def software() -> dict[str, str]:
    """Versions of Python and of the packages that matter, those that are there."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found | _cuda() | _revision()


def _revision() -> dict[str, str]:
    """The commit of the repository that this file is in; nothing outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"cm4bench": shown.stdout.strip()}


def _cuda() -> dict[str, str]:
    import torch

    if not torch.cuda.is_available():
        return {}
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}


def host(device: torch.device) -> dict[str, Any]:
    """System, processor, memory in bytes, cores, accelerators."""
    import torch

    found: dict[str, Any] = {
        "os": platform.platform(),
        "cpu_model": cpu_model(),
        "cpu_cores": os.cpu_count() or 0,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "threads": torch.get_num_threads(),
        "device": str(device),
    }
    if device.type == "cuda":
        found["accelerators"] = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return found


def cpu_model() -> str:
    """The processor's name as the kernel gives it, or what Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def peak_rss_bytes() -> int:
    """Most memory that this process held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
