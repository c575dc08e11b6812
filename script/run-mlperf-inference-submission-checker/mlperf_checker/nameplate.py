"""What a system's power supplies can give, from systems/<system>_power.yaml (since v6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mlperf_checker.reading import Files, Unreadable


@dataclass(frozen=True)
class Capacity:
    """Watts of the supplies that a system needs at least."""

    watts: float


def capacity(files: Files, path: PurePosixPath) -> Capacity | Unreadable:
    """Add up a nameplate file: of each component, the largest supplies, as many as it needs at least."""
    text = files.text(path)
    if isinstance(text, Unreadable):
        return text
    import yaml

    try:
        return Capacity(_sum(yaml.safe_load(text)))
    except (yaml.YAMLError, RecursionError):
        return Unreadable("it is not YAML")
    except (TypeError, ValueError, AttributeError):
        return Unreadable("its PSUs, PowerCapacityWatts or Min PSUs Needed are not numbers in lists")


def _sum(node: Any) -> float:
    if isinstance(node, list):
        return sum(_sum(one) for one in node)
    if not isinstance(node, dict):
        return 0.0
    by_name = {str(key).lower(): value for key, value in node.items()}
    if "psus" in by_name and "min psus needed" in by_name:
        watts = sorted((float(one.get("PowerCapacityWatts", 0)) for one in by_name["psus"]), reverse=True)
        return sum(watts[: int(by_name["min psus needed"])])
    return sum(_sum(one) for one in node.values())
