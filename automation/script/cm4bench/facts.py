"""What is known of the host before anything runs: cheap to read, never by starting a process."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Facts", "read_facts"]


@dataclass(frozen=True)
class Facts:
    """Host facts by dotted name (`os.flavor`, `cpu.count`, `accelerator`), and what identifies the platform."""

    platform: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def read_facts() -> Facts:
    """Read this host. Costs well under a millisecond."""
    uname = os.uname() if hasattr(os, "uname") else None
    machine = uname.machine if uname else platform.machine()
    system = uname.sysname.lower() if uname else platform.system().lower()
    release = _os_release()
    values = {
        "os.type": system,
        "os.platform": machine,
        "os.flavor": release.get("ID", system),
        "os.flavor_like": release.get("ID_LIKE", release.get("ID", "")),
        "os.version": release.get("VERSION_ID", ""),
        "os.kernel": uname.release if uname else platform.release(),
        "os.bits": "64" if sys.maxsize > 2**32 else "32",
        "cpu.architecture": machine,
        "cpu.count": os.cpu_count() or 1,
        "cpu.usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python.executable": sys.executable,
        "python.version": platform.python_version(),
        "accelerator": "cuda" if _has_nvidia_gpu() else "cpu",
    }
    return Facts(f"{system}-{machine}", values)


def _os_release() -> dict[str, str]:
    for name in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        return {k: v.strip().strip("\"'") for k, _, v in (line.partition("=") for line in lines) if v}
    return {}


def _has_nvidia_gpu() -> bool:
    """The kernel driver lists its GPUs as folders; no library needs loading to know whether there is one."""
    try:
        return any(Path("/proc/driver/nvidia/gpus").iterdir())
    except OSError:
        return Path("/dev/nvidia0").exists()
