"""Medical segmentation: a label for every voxel of a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require_outputs
from medical_segmentation.volumes import Volumes


class MedicalSegmentation(TaskDefaults):
    """Scans of different sizes, one at a time; a response has one uint8 label per voxel, as in the reference."""

    response_dtype = "uint8"
    response_width = None
    columns = (Column("volume", (1, None, None, None), "float32", "single"),)

    def __init__(self, config: RunConfig) -> None:
        if config.batch_size != 1:
            cause = f"scans differ in size and are answered one by one, batch_size is {config.batch_size}"
            raise HarnessError("config", cause, "--batch_size=1")
        self._volumes, self._target = Volumes(config), config.quality_target
        self.count = self._volumes.info.count
        self.sample_bytes = 4 * self._volumes.largest

    def load(self, indices: list[int]) -> tuple[list[Array], ...]:
        """Scans, float32 (1, D, H, W), in memory."""
        import numpy as np

        return ([np.array(self._volumes.volume(index)) for index in indices],)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """Labels of each scan, flat; HarnessError when the model gave another number of voxels."""
        require_outputs(outputs, len(indices))
        labels = [labels.reshape(-1) for labels in outputs[0]]
        for index, one in zip(indices, labels, strict=True):
            wanted = self._volumes.volume(index).size
            if one.size != wanted:
                raise HarnessError("raised", f"the model returned {one.size} labels for {wanted} voxels")
        return labels

    def facts(self) -> dict[str, Any]:
        """Name, tier, count, classes and the folder."""
        return self._volumes.facts()

    def quality(self, log_dir: Path) -> Quality:
        """Mean Dice score over scans and classes, 0 to 1."""
        from medical_segmentation import metric

        return metric.score(log_dir, self._volumes, self._target)
