"""Make climate fields with cyclones and atmospheric rivers on them, in the files of MLPerf HPC's DeepCAM.

Writes `train/data-*.h5` and `validation/data-*.h5`, each with `climate/data` (height, width, 16) float32 and
`climate/labels_0` (height, width): 0 nothing, 1 tropical cyclone, 2 atmospheric river; `stats.h5` with the least
and the greatest value of each channel; `dataset.json`; SHA256SUMS. The folder appears only when it is complete.

What can be learned: a cyclone is a vortex in the winds, a low in the pressures and a warm core; a river is a long band
of moist air with wind along it. All channels carry smooth weather and noise besides.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.datafiles import publish, stage

Array = NDArray[Any]
BACKGROUND, CYCLONE, RIVER = 0, 1, 2


@dataclass(frozen=True)
class Channel:
    """One quantity of CAM5's output: its usual value and spread, and what of each event shows in it, in spreads."""

    name: str
    mean: float
    spread: float
    low: float = 0.0  # in the middle of a cyclone
    eastward: float = 0.0  # wind from west to east
    northward: float = 0.0
    moist: float = 0.0  # in a river; a cyclone is moist too


CHANNELS = (
    Channel("TMQ", 19.0, 15.0, low=0.8, moist=2.0),
    Channel("U850", 1.5, 8.0, eastward=2.0),
    Channel("V850", 0.2, 6.0, northward=2.0),
    Channel("UBOT", 0.1, 6.5, eastward=1.6),
    Channel("VBOT", 0.2, 5.5, northward=1.6),
    Channel("QREFHT", 0.008, 0.006, low=0.5, moist=1.2),
    Channel("PS", 96_500.0, 9_500.0, low=-0.3),
    Channel("PSL", 101_000.0, 1_500.0, low=-2.0),
    Channel("T200", 213.0, 8.0, low=0.8),
    Channel("T500", 253.0, 13.0, low=1.0),
    Channel("PRECT", 3e-8, 1e-7, low=1.0, moist=1.0),
    Channel("TS", 280.0, 23.0),
    Channel("TREFHT", 279.0, 22.0),
    Channel("Z1000", 475.0, 830.0, low=-0.8),
    Channel("Z200", 11_700.0, 630.0, low=0.3),
    Channel("ZBOT", 61.0, 5.0),
)


@dataclass(frozen=True)
class Patterns:
    """The fields (height, width) that events leave, and the label of each cell."""

    low: Array
    eastward: Array
    northward: Array
    moist: Array
    labels: Array


def events(height: int, width: int, rng: np.random.Generator) -> Patterns:
    """One river and one or two cyclones; a cyclone lies over a river."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    zero = np.zeros((height, width), np.float32)
    low, eastward, northward = zero.copy(), zero.copy(), zero.copy()
    unit = height / 48
    centre, slope = rng.uniform(0.2, 0.8, 2) * (height, width), rng.uniform(-0.7, 0.7)
    across = (rows - centre[0]) - slope * (columns - centre[1])
    band = np.exp(-((across / (3.2 * unit)) ** 2)) * (np.abs(columns - centre[1]) < 26 * unit)
    labels = np.where(band > 0.5, RIVER, BACKGROUND)
    eastward += 0.7 * band
    northward += 0.7 * slope * band
    for _ in range(rng.integers(1, 3)):
        middle = rng.uniform(0.12, 0.88, 2) * (height, width)
        down, right = (rows - middle[0]) / (4 * unit), (columns - middle[1]) / (4 * unit)
        core = np.exp(-(down**2 + right**2))
        low = np.maximum(low, core)
        eastward += 2 * down * core
        northward += 2 * right * core
        labels = np.where(core > 0.5, CYCLONE, labels)
    return Patterns(low, eastward, northward, band.astype(np.float32), labels.astype(np.float32))


def sample(height: int, width: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Fields (height, width, 16) float32 and labels (height, width)."""
    seen = events(height, width, rng)
    planes = []
    for channel in CHANNELS:
        shown = channel.low * seen.low + channel.eastward * seen.eastward
        shown = shown + channel.northward * seen.northward + channel.moist * seen.moist
        weather = smooth(height, width, rng) + 0.3 * rng.standard_normal((height, width))
        planes.append(channel.mean + channel.spread * (shown + 0.5 * weather))
    return np.stack(planes, -1).astype(np.float32), seen.labels


def smooth(height: int, width: int, rng: np.random.Generator) -> Array:
    """A field of unit variance whose waves are mostly as long as the map."""
    down, right = np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None, :] * width
    weight = np.exp(-(down**2 + right**2) / 8)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((height, width))) * weight).real
    return np.asarray(field / field.std())


def write_sample(path: Path, data: Array, labels: Array) -> None:
    """One file as CAM5's are."""
    import h5py

    with h5py.File(path, "w") as file:
        file["climate/data"], file["climate/labels_0"] = data, labels


def write(out: Path, train: int, validation: int, size: tuple[int, int], seed: int) -> None:
    """Write the data set; ``out`` appears in one step."""
    import h5py

    staging = stage(out)
    least = np.full(len(CHANNELS), np.inf)
    greatest = -least
    for number, (part, count) in enumerate((("train", train), ("validation", validation))):
        (staging / part).mkdir(parents=True)
        for index in range(count):
            data, labels = sample(*size, np.random.default_rng((seed, number, index)))
            write_sample(staging / part / f"data-{index:05d}.h5", data, labels)
            if part == "train":
                least, greatest = np.minimum(least, data.min((0, 1))), np.maximum(greatest, data.max((0, 1)))
    with h5py.File(staging / "stats.h5", "w") as file:
        file["climate/minval"], file["climate/maxval"] = least.astype(np.float32), greatest.astype(np.float32)
    facts = {"schema": 1, "name": "climate fields", "tier": "synthetic", "train": train, "validation": validation}
    described = facts | {"seed": seed, "channels": [channel.name for channel in CHANNELS]}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    publish(staging, out)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    for name in ("train", "validation", "height", "width", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write(given.out, given.train, given.validation, (given.height, given.width), given.seed)


if __name__ == "__main__":
    main()
