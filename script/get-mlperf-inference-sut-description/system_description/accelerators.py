"""NVIDIA GPUs as NVML describes them, or that the system computes without any. Untested on hardware."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from system_description.systemfiles import counted, size
from system_description.values import Origin, Value, Values, detected

_KEYS = (
    "accelerator_model_name",
    "accelerator_memory_capacity",
    "accelerator_memory_configuration",
    "accelerator_host_interconnect",
    "accelerator_interconnect",
    "accelerator_interconnect_topology",
    "accelerator_frequency",
    "accelerator_on-chip_memories",
)
_MAX_NVLINKS = 18


def none_used(reason: str) -> Values:
    """The keys of a system that computes on its processors; ``reason`` says how that is known."""
    absent = {key: Value("N/A", Origin.NOT_APPLICABLE, reason) for key in _KEYS}
    return absent | {"accelerators_per_node": detected("0", reason)}


def read(nvml: Any = None) -> Values:
    """What NVML says; empty where there is no NVML or no GPU. ``nvml`` stands for the module `pynvml`."""
    try:
        nvml = nvml or _import_nvml()
        nvml.nvmlInit()
    except Exception:
        return {}
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        return _describe(nvml, handles) if handles else {}
    finally:
        with suppress(Exception):
            nvml.nvmlShutdown()


def _import_nvml() -> Any:
    import pynvml

    return pynvml


def _describe(nvml: Any, handles: list[Any]) -> Values:
    found = {"accelerators_per_node": detected(str(len(handles)), "NVML")}
    readers = {
        "accelerator_model_name": _name,
        "accelerator_memory_capacity": _memory,
        "accelerator_frequency": _frequency,
        "accelerator_host_interconnect": _host_link,
        "accelerator_interconnect": _peer_link,
    }
    for key, reader in readers.items():
        with suppress(Exception):  # an old driver or a virtual GPU does not answer everything
            words = [reader(nvml, handle) for handle in handles]
            found[key] = detected(words[0] if len(set(words)) == 1 else counted(words), "NVML")
    if len(handles) == 1:
        found["accelerator_interconnect"] = Value("N/A", Origin.NOT_APPLICABLE, "one accelerator")
    return found


def _name(nvml: Any, handle: Any) -> str:
    name = nvml.nvmlDeviceGetName(handle)
    return name.decode() if isinstance(name, bytes) else str(name)


def _memory(nvml: Any, handle: Any) -> str:
    return size(nvml.nvmlDeviceGetMemoryInfo(handle).total)


def _frequency(nvml: Any, handle: Any) -> str:
    return f"{nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM)} MHz (maximum)"


def _host_link(nvml: Any, handle: Any) -> str:
    generation, width = nvml.nvmlDeviceGetMaxPcieLinkGeneration(handle), nvml.nvmlDeviceGetMaxPcieLinkWidth(handle)
    return f"PCIe Gen{generation} x{width}"


def _peer_link(nvml: Any, handle: Any) -> str:
    links = sum(_is_up(nvml, handle, link) for link in range(_MAX_NVLINKS))
    return f"NVLink, {links} links" if links else "PCIe"


def _is_up(nvml: Any, handle: Any, link: int) -> bool:
    try:
        return bool(nvml.nvmlDeviceGetNvLinkState(handle, link))
    except Exception:
        return False
