"""The host's disks and network cards, from /sys."""

from __future__ import annotations

from pathlib import Path

from system_description.systemfiles import counted, number, size, text
from system_description.values import Origin, Value, Values, detected

_BLOCK, _NET = Path("sys/block"), Path("sys/class/net")
_NO_DISKS = ("loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd")
_LINKS = {1: "Ethernet", 32: "InfiniBand"}


def disks(root: Path) -> Values:
    """Sizes and kinds of the disks that are built in."""
    folders = [one for one in sorted((root / _BLOCK).glob("*")) if _is_disk(one)]
    if not folders:
        return {}
    sizes = [size(512 * (number(one / "size") or 0)) for one in folders]
    kinds = [_kind(one) for one in folders]
    return {
        "host_storage_capacity": detected(counted(sizes), f"/{_BLOCK}"),
        "host_storage_type": detected(", ".join(dict.fromkeys(kinds)), f"/{_BLOCK}"),
    }


def _is_disk(folder: Path) -> bool:
    named = not folder.name.startswith(_NO_DISKS)
    return named and bool(number(folder / "size")) and number(folder / "removable") != 1


def _kind(folder: Path) -> str:
    if folder.name.startswith("nvme"):
        return "NVMe SSD"
    if folder.name.startswith(("vd", "xvd")):
        return "virtual disk"
    return "HDD" if number(folder / "queue" / "rotational") else "SSD"


def network_cards(root: Path) -> Values:
    """Number and speeds of the cards that have a device; virtual interfaces have none."""
    cards = [one for one in sorted((root / _NET).glob("*")) if (one / "device").exists()]
    found = {"host_network_card_count": detected(str(len(cards)), f"/{_NET}")} if (root / _NET).is_dir() else {}
    if cards:
        found["host_networking"] = detected(counted([_card(one) for one in cards]), f"/{_NET}")
    elif found:
        absent = Value("N/A", Origin.NOT_APPLICABLE, "no network card")
        found |= {"host_networking": absent, "host_networking_topology": absent}
    return found


def _card(folder: Path) -> str:
    megabits = number(folder / "speed")
    kind = _LINKS.get(number(folder / "type") or 0, text(folder / "type") or "network card")
    return f"{kind} {megabits} Mb/s" if megabits and megabits > 0 else kind
