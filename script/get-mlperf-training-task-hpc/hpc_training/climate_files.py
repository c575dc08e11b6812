"""CAM5's HDF5 files as MLPerf HPC's DeepCAM reads them: one map of 16 channels and its labels in each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc_training.files import Stored, files_of, reading
from trainer.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

CHANNELS, CLASSES = 16, 3
STATS = "stats.h5"
Map = tuple["torch.Tensor", "torch.Tensor"]


class Scaling:
    """Brings each channel to 0 … 1 over the training set, by the extremes in stats.h5."""

    def __init__(self, path: Path) -> None:
        with reading(path):
            import h5py

            with h5py.File(path, "r") as file:
                least, greatest = file["climate/minval"][...], file["climate/maxval"][...]
        if least.shape != (CHANNELS,) or greatest.shape != (CHANNELS,):
            raise TrainingError(
                "data", f"{path}: minval and maxval must have {CHANNELS} values each", f"h5ls -r {path}"
            )
        if not (greatest > least).all():
            raise TrainingError("data", f"{path}: a channel's maxval is not above its minval", f"h5dump {path}")
        self._shift = least.astype("float32")
        self._scale = (1 / (greatest - least)).astype("float32")

    def __call__(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """``data`` is (height, width, 16)."""
        scaled: NDArray[np.float32] = (data - self._shift) * self._scale
        return scaled


class Maps:
    """Reads samples: fields (16, height, width) float32 in 0 … 1, labels (height, width) int64."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling

    def __call__(self, path: Path) -> Map:
        """One file; TrainingError names it and what is wrong in it."""
        import numpy as np
        import torch

        with reading(path):
            import h5py

            with h5py.File(path, "r") as file:
                data, labels = file["climate/data"][...], file["climate/labels_0"][...].astype("int64")
        if data.ndim != 3 or data.shape != (*labels.shape, CHANNELS):
            cause = f"{path}: data of shape {data.shape} and labels of shape {labels.shape} are no map of 16 channels"
            raise TrainingError("data", cause, f"h5ls -r {path}")
        if not np.isin(labels, range(CLASSES)).all():
            raise TrainingError("data", f"{path}: labels_0 has values other than 0, 1, 2", f"h5dump {path}")
        if not np.isfinite(data).all():
            raise TrainingError("data", f"{path}: data has values that are not finite", f"h5dump {path}")
        return torch.from_numpy(self._scaling(data).transpose(2, 0, 1).copy()), torch.from_numpy(labels)


def maps(folder: Path, scaling: Scaling) -> Stored[Path, Map]:
    """The samples of ``folder`` (train or validation)."""
    read, paths = Maps(scaling), files_of(folder, "*.h5")
    fields, labels = read(paths[0])
    size = fields.numel() * 4 + labels.numel() * 8
    return Stored(paths, read, join, size)


def join(samples: list[Map]) -> dict[str, Any]:
    """A batch: x (batch, 16, height, width), y (batch, height, width)."""
    import torch

    sizes = {tuple(y.shape) for _, y in samples}
    if len(sizes) > 1:
        raise TrainingError("data", f"maps differ in size: {sorted(sizes)}", "all files of a set have one size")
    return {"x": torch.stack([x for x, _ in samples]), "y": torch.stack([y for _, y in samples])}
