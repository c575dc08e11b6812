"""Flags that the tasks' own manifests offer, ``--cifar10_path`` or ``--network``, and the keys that they set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlperf_lite.errors import LiteError, nearest

SCRIPTS = Path(__file__).parents[2]


def flags(scripts: Path = SCRIPTS) -> dict[str, str]:
    """Environment key by flag, of all tasks of this repository."""
    found: dict[str, str] = {}
    for manifest in sorted(scripts.glob("get-mlperf-training-task-*/_cm.yaml")):
        raw = yaml.safe_load(manifest.read_text(encoding="utf-8")) or {}
        found |= {name: str(one["env"]) for name, one in (raw.get("inputs") or {}).items()}
    return found


def keys(options: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Options as environment; LiteError for one that no task has."""
    for name in options:
        if name not in known:
            raise LiteError(f"no task has the option {name}", nearest(name, known))
    return {known[name]: text(value) for name, value in options.items()}


def path_flag(dataset: str, known: Mapping[str, str]) -> str:
    """The flag that takes the folder of a data set; LiteError where it has none."""
    flag = f"{dataset.replace('-', '_')}_path"
    if flag not in known:
        paths = [name for name in known if name.endswith("_path")]
        raise LiteError(f"no flag takes a folder for the data set {dataset!r}", nearest(flag, paths))
    return flag


def text(value: Any) -> str:
    """A value as flags write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
