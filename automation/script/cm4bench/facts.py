"""What is known of the host before anything runs: cheap to read, never by starting a process."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH110, PTH208
from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .values import NamedTuple

__all__ = ["Facts", "read_facts"]


class Facts(NamedTuple):
    """Host facts by dotted name (`os.flavor`, `cpu.count`, `accelerator`), and what identifies the platform."""

    platform: str = ""
    values: Mapping[str, Any] = MappingProxyType({})


def read_facts() -> Facts:
    """Read this host. Costs well under a millisecond."""
    uname = os.uname() if hasattr(os, "uname") else None
    machine = uname.machine if uname else os.environ.get("PROCESSOR_ARCHITECTURE", "")
    system = uname.sysname.lower() if uname else sys.platform
    release = _os_release()
    values = {
        "os.type": system,
        "os.platform": machine,
        "os.flavor": release.get("ID", system),
        "os.flavor_like": release.get("ID_LIKE", release.get("ID", "")),
        "os.version": release.get("VERSION_ID", ""),
        "os.kernel": uname.release if uname else "",
        "os.bits": "64" if sys.maxsize > 2**32 else "32",
        "cpu.architecture": machine,
        "cpu.count": os.cpu_count() or 1,
        "cpu.usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python.executable": sys.executable,
        "python.version": ".".join(str(n) for n in sys.version_info[:3]),
        "cuda.driver": _nvidia_driver(),
        "accelerator": "cuda" if _has_nvidia_gpu() else "cpu",
    }
    return Facts(f"{system}-{machine}", values)


def _os_release() -> dict[str, str]:
    for name in ("/etc/os-release", "/usr/lib/os-release"):
        lines = _text_of(name).splitlines()
        if not lines:
            continue
        return {k: v.strip().strip("\"'") for k, _, v in (line.partition("=") for line in lines) if v}
    return {}


def _nvidia_driver() -> str:
    """Version of the loaded NVIDIA kernel driver, `570.86.10`; empty without one."""
    return _text_of("/sys/module/nvidia/version").strip()


def _has_nvidia_gpu() -> bool:
    """The kernel driver lists its GPUs as folders; no library needs loading to know whether there is one."""
    try:
        return bool(os.listdir("/proc/driver/nvidia/gpus"))
    except OSError:
        return os.path.exists("/dev/nvidia0") or os.path.exists("/usr/lib/wsl/lib/libcuda.so.1")


def _text_of(path: str) -> str:
    """What a file of the system says; empty without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
