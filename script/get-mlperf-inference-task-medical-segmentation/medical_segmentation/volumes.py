"""The folder of volumes that get-preprocessed-dataset-kits19 and -colin27 write."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.tasks.base import require, require_tier

_HINT = 'prepare the data set again: cmr "get preprocessed dataset medical-imaging kits19" (or colin27)'


class Case(msgspec.Struct, frozen=True):
    """One scan: the name of its files, and its voxels in depth, height and width."""

    name: str
    shape: tuple[int, int, int]


class VolumesInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: label k + 1 means `classes[k]`, label 0 is everything else."""

    schema: int
    name: str
    tier: Tier
    count: int
    classes: tuple[str, ...]
    cases: tuple[Case, ...]


class Volumes:
    """Scans (float32, 1 x D x H x W) and their labels (uint8, D x H x W), opened when they are wanted.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or unreadable, or shapes or types differ.
    """

    def __init__(self, config: RunConfig) -> None:
        self.folder = folder = Path(config.dataset)
        self.info = info = _read_info(folder / "dataset.json")
        require_tier(config, info.tier, folder)
        require(info.count > 0, f"{folder}/dataset.json says count {info.count}", _HINT)
        listed = len(info.cases)
        require(listed == info.count, f"{folder}/dataset.json lists {listed} cases but says {info.count}", _HINT)
        require(bool(info.classes), f"{folder}/dataset.json names no classes", _HINT)
        for index in range(info.count):
            self.volume(index)
            self.labels(index)

    def volume(self, index: int) -> Array:
        """Scan `index`, mapped from its file."""
        case = self.info.cases[index]
        return _read_array(self.folder / "volumes" / f"{case.name}.npy", (1, *case.shape), "float32")

    def labels(self, index: int) -> Array:
        """What is where in scan `index`, mapped from its file."""
        case = self.info.cases[index]
        return _read_array(self.folder / "labels" / f"{case.name}.npy", case.shape, "uint8")

    @property
    def largest(self) -> int:
        """Voxels of the largest scan."""
        return max(math.prod(case.shape) for case in self.info.cases)

    def facts(self) -> dict[str, Any]:
        """Name, tier, count, classes and the folder."""
        info = self.info
        facts: dict[str, Any] = {"schema": info.schema, "name": info.name, "tier": info.tier, "count": info.count}
        return {**facts, "classes": list(info.classes), "folder": str(self.folder)}


def _read_info(path: Path) -> VolumesInfo:
    try:
        return msgspec.json.decode(path.read_bytes(), type=VolumesInfo)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", _HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", _HINT) from error


def _read_array(path: Path, shape: tuple[int, ...], dtype: str) -> Array:
    import numpy as np

    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", _HINT) from error
    except (ValueError, EOFError) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npy file: {error}", _HINT) from error
    found = f"{path} holds {array.dtype} of {array.shape}"
    require(array.dtype == dtype and array.shape == shape, f"{found}, expected {dtype} of {shape}", _HINT)
    return array
