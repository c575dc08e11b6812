"""Make maps of matter in the universe, with the parameters that made them, in the files of MLPerf HPC's CosmoFlow.

Writes `train/univ_*.tfrecord` and `validation/univ_*.tfrecord`: one gzipped TFRecord each with `x`, the counts of
particles (side, side, side, 4) as int16, and `y`, four parameters in -1 … 1; `dataset.json`; SHA256SUMS. The
folder appears only when it is complete. The four channels of `x` are the same universe at four times, the last of
them today.

What can be learned: the density is log-normal, exp of a Gaussian random field with the spectrum k^slope, from which
the particles are drawn (Poisson). The parameters are how many particles a cell has on average, how strong the field is
today, the slope, and how much of its strength the field had at the first of the four times.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.datafiles import publish, stage

Array = NDArray[Any]
TIMES = 4
PARAMETERS = ("mean count", "strength today", "slope of the spectrum", "strength at first")


def universe(side: int, parameters: Array, rng: np.random.Generator) -> Array:
    """Counts (side, side, side, 4) int16 for four ``parameters`` in -1 … 1."""
    density, today, slope, first = (float(one) for one in parameters)
    field = gaussian(side, -1.5 + 1.3 * slope, rng)
    strength = 0.8 * np.exp(0.5 * today)
    growth = np.linspace(0.5 + 0.4 * first, 1.0, TIMES)
    shown = strength * growth * field[..., None]
    # the mean of exp(s·field) is exp(s²/2): without it a stronger field would also be a denser one
    expected = 8.0 * np.exp(0.8 * density) * np.exp(shown - (strength * growth) ** 2 / 2)
    return np.minimum(rng.poisson(expected), np.iinfo(np.int16).max).astype(np.int16)


def gaussian(side: int, slope: float, rng: np.random.Generator) -> Array:
    """A Gaussian random field of unit variance whose power falls as k^slope."""
    frequency = np.fft.fftfreq(side) * side
    squared = frequency[:, None, None] ** 2 + frequency[None, :, None] ** 2 + frequency[None, None, :] ** 2
    squared[0, 0, 0] = 1.0
    amplitude = squared ** (slope / 4)
    amplitude[0, 0, 0] = 0.0
    field = np.fft.ifftn(np.fft.fftn(rng.standard_normal((side,) * 3)) * amplitude).real
    return np.asarray(field / field.std())


def write_sample(path: Path, counts: Array, parameters: Array) -> None:
    """One file as CosmoFlow's are: a single record, gzipped."""
    from tfrecord.writer import TFRecordWriter

    plain = path.with_suffix(".plain")
    writer = TFRecordWriter(str(plain))
    writer.write({"x": (counts.astype("<i2").tobytes(), "byte"), "y": (parameters.tolist(), "float")})
    writer.close()
    # without name and time in it, so that equal contents are equal files
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as packed:
        packed.write(plain.read_bytes())
    plain.unlink()


def write(out: Path, train: int, validation: int, side: int, seed: int) -> None:
    """Write the data set; ``out`` appears in one step."""
    staging = stage(out)
    for number, (part, count) in enumerate((("train", train), ("validation", validation))):
        (staging / part).mkdir(parents=True)
        for index in range(count):
            rng = np.random.default_rng((seed, number, index))
            parameters = rng.uniform(-1, 1, len(PARAMETERS))
            path = staging / part / f"univ_{index:06d}.tfrecord"
            write_sample(path, universe(side, parameters, rng), parameters)
    facts = {"schema": 1, "name": "density fields", "tier": "synthetic", "train": train, "validation": validation}
    described = facts | {"seed": seed, "side": side, "parameters": PARAMETERS}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    publish(staging, out)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    for name in ("train", "validation", "side", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write(given.out, given.train, given.validation, given.side, given.seed)


if __name__ == "__main__":
    main()
