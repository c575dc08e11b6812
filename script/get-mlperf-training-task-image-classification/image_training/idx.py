"""Fashion-MNIST and MNIST in their own layout: four gzipped IDX files (Y. LeCun's format, big-endian)."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from image_training.images import Images, ImageSet, checked
from trainer import datafiles
from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

CLASSES = 10
_UNSIGNED_BYTE = 0x08


def read(folder: Path) -> ImageSet:
    """Both splits; each file may be packed (`train-images-idx3-ubyte.gz`) or not.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, damaged or of another form.
    """
    datafiles.verify(folder)
    return ImageSet(_split(folder, "train"), _split(folder, "t10k"), CLASSES)


def _split(folder: Path, name: str) -> Images:
    where = folder / f"{name}-images-idx3-ubyte.gz"
    pixels = _array(folder, f"{name}-images-idx3-ubyte", 3)
    labels = _array(folder, f"{name}-labels-idx1-ubyte", 1)
    if len(pixels) != len(labels):
        raise TrainingError("data", f"{where} has {len(pixels)} images and {len(labels)} labels", f"ls -l {folder}")
    return checked(Images(pixels.unsqueeze(1), labels.long()), CLASSES, where)


def _array(folder: Path, name: str, dimensions: int) -> torch.Tensor:
    """The bytes of one file in its own shape."""
    import torch

    path = next((folder / one for one in (f"{name}.gz", name) if (folder / one).is_file()), folder / f"{name}.gz")
    content = _content(path)
    size = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, _UNSIGNED_BYTE, dimensions)) or len(content) < size:
        raise TrainingError("data", f"{path}: no IDX file of {dimensions} dimensions of bytes", f"ls -l {folder}")
    shape = struct.unpack(f">{dimensions}I", content[4:size])
    values = torch.frombuffer(bytearray(content), dtype=torch.uint8)[size:]
    if len(values) != _product(shape):
        cause = f"{path}: {len(values)} bytes, its head promises {_product(shape)}"
        raise TrainingError("data", cause, f"ls -l {folder}")
    return values.view(shape)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def _content(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
        return gzip.decompress(packed) if path.suffix == ".gz" else packed
    except FileNotFoundError as error:
        raise TrainingError("data", f"{path} is missing", f"ls {path.parent}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TrainingError("data", f"{path} is damaged: {error}", f"gzip -t {path}") from error
