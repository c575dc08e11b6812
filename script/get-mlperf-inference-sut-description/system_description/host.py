"""Everything about this host that can be read without guessing."""

from __future__ import annotations

import os
from pathlib import Path

from system_description import accelerators, devices, memory, processor
from system_description.systemfiles import text
from system_description.values import Values, detected


def read(root: Path = Path("/"), *, on_cpu: bool = False) -> Values:
    """The keys that this host answers by itself.

    Args:
        root: below which /proc, /sys and /etc lie.
        on_cpu: the runs compute on the processors, whatever else is built in.
    """
    found = processor.read(root) | memory.read(root) | devices.disks(root) | devices.network_cards(root)
    found |= _operating_system(root)
    return found | (accelerators.none_used("the device is the CPU") if on_cpu else accelerators.read())


def _operating_system(root: Path) -> Values:
    pairs = (line.partition("=") for line in text(root / "etc/os-release").splitlines())
    release = {name: value.strip("\"'") for name, _, value in pairs}
    kernel = text(root / "proc/sys/kernel/osrelease") or os.uname().release
    name = release.get("PRETTY_NAME", "")
    return {"operating_system": detected(f"{name}, kernel {kernel}", "/etc/os-release")} if name else {}
