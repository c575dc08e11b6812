"""The host's memory: its size, and its modules where the firmware's tables may be read."""

from __future__ import annotations

from pathlib import Path

from system_description.systemfiles import counted, size, text
from system_description.values import Values, detected

_MEMINFO, _DMI, _EDAC = Path("proc/meminfo"), Path("sys/firmware/dmi/entries"), Path("sys/devices/system/edac/mc")

# System Management BIOS Specification (DMTF DSP0134), 7.18: a memory device.
_SIZE, _EXTENDED, _TYPE, _SPEED = 0x0C, 0x1C, 0x12, 0x15
_IN_EXTENDED, _UNKNOWN = 0x7FFF, 0xFFFF
_TYPES = {0x18: "DDR3", 0x1A: "DDR4", 0x1E: "LPDDR4", 0x20: "HBM", 0x21: "HBM2", 0x22: "DDR5", 0x23: "LPDDR5"}


def read(root: Path) -> Values:
    """Size and modules; what cannot be read is left out (the firmware's tables are root's)."""
    return _capacity(root) | (_from_firmware(root) or _from_edac(root))


def _capacity(root: Path) -> Values:
    for line in text(root / _MEMINFO).splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            kibibytes = int(value.split()[0])
            return {"host_memory_capacity": detected(size(1024 * kibibytes), f"/{_MEMINFO} (as the system sees it)")}
    return {}


def _from_firmware(root: Path) -> Values:
    modules = [_module(path) for path in sorted((root / _DMI).glob("17-*/raw"))]
    present = [one for one in modules if one]
    return {"host_memory_configuration": detected(counted(present), f"/{_DMI}")} if present else {}


def _module(path: Path) -> str:
    """`32 GiB DDR5 4800 MT/s`; empty for an empty slot or an unreadable table."""
    try:
        table = path.read_bytes()
    except OSError:
        return ""
    mebibytes = _word(table, _SIZE)
    if mebibytes == _IN_EXTENDED:
        mebibytes = int.from_bytes(table[_EXTENDED : _EXTENDED + 4], "little")
    if not mebibytes or mebibytes == _UNKNOWN:
        return ""
    kind, speed = _TYPES.get(int.from_bytes(table[_TYPE : _TYPE + 1], "little"), ""), _word(table, _SPEED)
    return " ".join(filter(None, (size(mebibytes * 1024**2), kind, f"{speed} MT/s" if speed else "")))


def _word(table: bytes, offset: int) -> int:
    return int.from_bytes(table[offset : offset + 2], "little")


def _from_edac(root: Path) -> Values:
    """Modules that the kernel's error detection knows, without their speed."""
    modules = []
    for folder in sorted((root / _EDAC).glob("mc*/dimm*")):
        mebibytes = text(folder / "size")
        if mebibytes.isdecimal() and int(mebibytes):
            modules.append(f"{size(int(mebibytes) * 1024**2)} {text(folder / 'dimm_mem_type')}".strip())
    return {"host_memory_configuration": detected(counted(modules), f"/{_EDAC}")} if modules else {}
