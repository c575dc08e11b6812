"""Image classification over a folder of preprocessed images.

The folder holds `samples.npy` (uint8, N x H x W x 3, RGB, resized and cropped), `labels.npy` (int64, N) and
`dataset.json` (name, tier, count, shape, mean and std per channel, labels_offset).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.outcome import Quality
from harness.tasks.base import Column, Reduction, TaskDefaults, require, require_outputs, require_tier
from harness.tasks.files import read_array, read_json

_HINT = 'preprocess the data set again: cmr "get preprocessed dataset imagenet"'


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: mean and std are in units of the uint8 pixel values; class ids have `labels_offset` added."""

    schema: int
    name: str
    tier: Tier
    count: int
    shape: tuple[int, int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    labels_offset: int = 0


class ImageFolder:
    """The three files, opened and checked against each other.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or unreadable or counts, shapes or types differ.
    """

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self.folder = folder
        self.info: DatasetInfo = read_json(folder / "dataset.json", DatasetInfo, _HINT)
        self.samples = read_array(folder / "samples.npy", _HINT)
        self.labels = read_array(folder / "labels.npy", _HINT, memory_map=False)
        self._check_samples(np.uint8)
        self._check_labels(np.int64)

    def _check_samples(self, dtype: type) -> None:
        info, samples, place = self.info, self.samples, self.folder
        claim = f"dataset.json says {info.count} samples of {info.shape}"
        require(info.count > 0, f"{place}/dataset.json says count {info.count}", _HINT)
        require(min(info.std) > 0, f"{place}/dataset.json has std {info.std}, each must be above 0", _HINT)
        require(
            samples.shape == (info.count, *info.shape), f"{place}/samples.npy has shape {samples.shape}, {claim}", _HINT
        )
        require(samples.dtype == dtype, f"{place}/samples.npy holds {samples.dtype}, expected {dtype.__name__}", _HINT)

    def _check_labels(self, dtype: type) -> None:
        labels, place = self.labels, self.folder
        claim = f"dataset.json says {self.info.count} samples"
        require(labels.shape == (self.info.count,), f"{place}/labels.npy has shape {labels.shape}, {claim}", _HINT)
        require(labels.dtype == dtype, f"{place}/labels.npy holds {labels.dtype}, expected {dtype.__name__}", _HINT)


class ImageClassification(TaskDefaults):
    """Top-1 classification; a response is the class id as one float32, as in the reference implementation."""

    reduction: Reduction = "argmax"
    scores_parts = True

    def __init__(self, config: RunConfig) -> None:
        import numpy as np

        data = ImageFolder(Path(config.dataset))
        require_tier(config, data.info.tier, data.folder)
        self._data, self._target = data, config.quality_target
        self.count = data.info.count
        height, width, channels = data.info.shape
        self.columns: tuple[Column, ...] = (Column("image", (channels, height, width)),)
        self.sample_bytes = 4 * height * width * channels
        self._mean = np.asarray(data.info.mean, dtype=np.float32).reshape(3, 1, 1)
        self._scale = (1.0 / np.asarray(data.info.std, dtype=np.float64)).astype(np.float32).reshape(3, 1, 1)

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        """Normalised images, float32 (n, 3, H, W), C-contiguous."""
        import numpy as np

        pixels = self._data.samples[indices].transpose(0, 3, 1, 2)
        images = np.subtract(pixels, self._mean, dtype=np.float32)
        images *= self._scale
        return (np.ascontiguousarray(images),)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """Class ids, (n,); raises HarnessError when the number of outputs is not that of the samples."""
        require_outputs(outputs, len(indices))
        return outputs[0]

    def check_outputs(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        """The logits must have a class for every label; raises HarnessError of kind `weights`."""
        highest = int(self._data.labels.max()) + self._data.info.labels_offset
        if shapes and (len(shapes[0]) != 2 or shapes[0][1] <= highest):
            cause = f"the model answers with {shapes[0][1:]} values per image, the labels go up to class {highest}"
            raise HarnessError("weights", cause, "give a model with the data's classes: ImageNet has 1000")

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json and the folder."""
        facts: dict[str, Any] = msgspec.to_builtins(self._data.info)
        return {**facts, "folder": str(self._data.folder)}

    def quality(self, log_dir: Path) -> Quality:
        """Top-1 accuracy in percent; also writes accuracy.txt beside the log."""
        from image_classification import metric

        return metric.score(log_dir, self._expected(), self._target)

    def quality_of(self, log_dir: Path, indices: Sequence[int]) -> Quality:
        """The same over these images only."""
        from image_classification import metric

        return metric.score(log_dir, self._expected(), self._target, indices)

    def _expected(self) -> list[int]:
        labels: list[int] = (self._data.labels + self._data.info.labels_offset).tolist()
        return labels
