"""The host's processors, from /proc/cpuinfo and /sys/devices/system/cpu."""

from __future__ import annotations

from pathlib import Path

from system_description.systemfiles import number, text
from system_description.values import Values, detected

_CPUINFO, _CPU0 = Path("proc/cpuinfo"), Path("sys/devices/system/cpu/cpu0")


def read(root: Path) -> Values:
    """Model, sockets, cores, frequency and caches; what the kernel does not tell is left out."""
    blocks = [_fields(block) for block in text(root / _CPUINFO).split("\n\n") if block.strip()]
    found = _model(blocks) | _topology(blocks)
    return found | _frequency(root) | _caches(root)


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _model(blocks: list[dict[str, str]]) -> Values:
    name = blocks[0].get("model name", "") if blocks else ""
    return {"host_processor_model_name": detected(name, f"/{_CPUINFO}")} if name else {}


def _topology(blocks: list[dict[str, str]]) -> Values:
    """Sockets, and cores of one socket. Threads are not cores."""
    pairs = {(one["physical id"], one["core id"]) for one in blocks if "physical id" in one and "core id" in one}
    sockets = {socket for socket, _ in pairs}
    if not sockets:
        return {}
    cores = len(pairs) // len(sockets)
    return {
        "host_processors_per_node": detected(str(len(sockets)), f"/{_CPUINFO}"),
        "host_processor_core_count": detected(str(cores), f"/{_CPUINFO}"),
    }


def _frequency(root: Path) -> Values:
    source = _CPU0 / "cpufreq" / "cpuinfo_max_freq"
    kilohertz = number(root / source)
    if not kilohertz:
        return {}
    return {"host_processor_frequency": detected(f"{kilohertz / 1e6:.2f} GHz (maximum)", f"/{source}")}


def _caches(root: Path) -> Values:
    folders = sorted((root / _CPU0 / "cache").glob("index*"))
    letters = {"Data": "d", "Instruction": "i"}
    parts = [
        f"L{text(one / 'level')}{letters.get(text(one / 'type'), '')} {text(one / 'size')}"
        for one in folders
        if text(one / "size")
    ]
    if not parts:
        return {}
    return {"host_processor_caches": detected(", ".join(parts), f"/{_CPU0}/cache (those of the first core)")}
