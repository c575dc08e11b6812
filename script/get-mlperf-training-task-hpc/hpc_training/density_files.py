"""CosmoFlow's TFRecord files: one simulated universe at four times, and the four parameters it was made with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc_training.files import Stored, files_of, reading
from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

TIMES = PARAMETERS = 4
Universe = tuple["torch.Tensor", "torch.Tensor"]
_GZIP = b"\x1f\x8b"


def read(path: Path) -> Universe:
    """Log of the counts, (4, side, side, side) float32, and the parameters, (4,) float32.

    The file may be gzipped, as the official ones are. TrainingError names it and what is wrong in it.
    """
    import numpy as np
    import torch

    with reading(path):
        record = _record(path)
        # a copy, for the reader gives views of a buffer of its own
        counts = np.frombuffer(bytes(record["x"]), "<i2")
        parameters = np.array(record["y"], "float32")
    side = round((len(counts) / TIMES) ** (1 / 3))
    if side**3 * TIMES != len(counts) or not side:
        raise TrainingError("data", f"{path}: {len(counts)} counts are no cube at four times", f"ls -l {path}")
    if parameters.shape != (PARAMETERS,) or not np.isfinite(parameters).all():
        raise TrainingError("data", f"{path}: y must be {PARAMETERS} finite numbers", f"ls -l {path}")
    if counts.min() < 0:
        raise TrainingError("data", f"{path}: a count is negative", f"ls -l {path}")
    cube = np.log1p(counts.astype("float32")).reshape(side, side, side, TIMES)
    return torch.from_numpy(cube.transpose(3, 0, 1, 2).copy()), torch.from_numpy(parameters)


def _record(path: Path) -> dict[str, Any]:
    from tfrecord.reader import tfrecord_loader

    with path.open("rb") as file:
        packed = file.read(2) == _GZIP  # the reader then checks gzip's own sum, too
    kinds = {"x": "byte", "y": "float"}
    records = tfrecord_loader(str(path), None, kinds, compression_type="gzip" if packed else None)
    found: dict[str, Any] | None = next(iter(records), None)
    if found is None:
        raise TrainingError("data", f"{path} has no record", f"ls -l {path}, or get it anew")
    if missing := sorted(kinds.keys() - found.keys()):
        raise TrainingError("data", f"{path}: the record has no {missing[0]}", f"it has {', '.join(sorted(found))}")
    return found


def universes(folder: Path) -> Stored[Path, Universe]:
    """The samples of ``folder`` (train or validation)."""
    paths = files_of(folder, "*.tfrecord")
    return Stored(paths, read, join, read(paths[0])[0].numel() * 4)


def join(samples: list[Universe]) -> dict[str, Any]:
    """A batch: x (batch, 4, side, side, side), y (batch, 4)."""
    import torch

    sizes = {tuple(x.shape) for x, _ in samples}
    if len(sizes) > 1:
        raise TrainingError("data", f"universes differ in size: {sorted(sizes)}", "all files of a set have one size")
    return {"x": torch.stack([x for x, _ in samples]), "y": torch.stack([y for _, y in samples])}
