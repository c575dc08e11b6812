"""CIFAR-10 in its own layout: `data_batch_1` … `data_batch_5` and `test_batch`, pickles of NumPy arrays."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_training.images import Images, ImageSet, checked
from trainer import datafiles
from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

CLASSES = 10
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)
USUAL_FOLDER = "cifar-10-batches-py"
_SHAPE = (3, 32, 32)
# What NumPy's arrays are pickled with, by NumPy 1 (as in the official files) and by NumPy 2.
_HARMLESS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("__builtin__", "bytes"),
}


def read(folder: Path) -> ImageSet:
    """Both splits from ``folder`` or its `cifar-10-batches-py`.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, damaged or of another form.
    """
    inner = folder / USUAL_FOLDER
    folder = inner if inner.is_dir() else folder
    datafiles.verify(folder)
    return ImageSet(_join(folder, TRAIN), _join(folder, TEST), CLASSES)


def _join(folder: Path, names: tuple[str, ...]) -> Images:
    import torch

    parts = [_batch(folder / name) for name in names]
    joined = Images(torch.cat([one for one, _ in parts]), torch.cat([one for _, one in parts]))
    return checked(joined, CLASSES, folder / names[0])


def _batch(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels and labels of one file."""
    import numpy as np
    import torch

    content = _unpickled(path)
    try:
        pixels, labels = content[b"data"], content[b"labels"]
        rows = np.asarray(pixels, dtype=np.uint8).reshape(len(labels), *_SHAPE)
        return torch.from_numpy(rows.copy()), torch.tensor(labels, dtype=torch.int64).view(-1)
    except (KeyError, TypeError, ValueError) as error:
        cause = f"{path}: no CIFAR-10 batch, which has `data` of 3072 bytes per image and as many `labels` ({error})"
        raise TrainingError("data", cause, _hint(path)) from error


def _unpickled(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return _Arrays(file, encoding="bytes").load()
    except FileNotFoundError as error:
        raise TrainingError("data", f"{path} is missing", _hint(path)) from error
    except (pickle.UnpicklingError, EOFError, OSError, ValueError, TypeError, IndexError, KeyError) as error:
        raise TrainingError("data", f"{path}: damaged or no CIFAR-10 batch ({error})", _hint(path)) from error


def _hint(path: Path) -> str:
    return f"--cifar10_path=FOLDER with {TRAIN[0]} … {TEST[0]}; ls -l {path.parent}"


class _Arrays(pickle.Unpickler):
    """Reads arrays, lists and texts, and calls nothing else: a data file must not be able to run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return super().find_class(module, name)
