"""The object detection benchmarks: pictures in, rows of boxes out.

A response is the reference's: for each detection seven float32 values, the sample's index, top, left, bottom, right as
fractions of the picture, score, category id. A picture without detections has an empty response.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require, require_outputs, require_tier
from object_detection.fit import Fit, Letterbox, Stretch
from object_detection.pictures import HINT, Pictures


class ObjectDetection(TaskDefaults):
    """Any detector over a data set in COCO's format.

    `fit` is what the network's input asks for, `classes` how many the network tells apart: as many as the data have.

    Pictures are decoded and fitted in `load`, which loadgen does not time: 24,781 fitted pictures of OpenImages would
    need 190 GB on disk, the performance set of 64 needs 0.5 GB in memory.
    """

    fit: ClassVar[Fit]
    classes: ClassVar[int]
    response_dtype = "float32"
    response_width: int | None = None

    def __init__(self, config: RunConfig) -> None:
        self._data = Pictures(Path(config.dataset))
        require_tier(config, self._data.info.tier, config.dataset)
        found = len(self._data.category_ids)
        cause = f"{self._data.annotations} has {found} categories, the network tells {self.classes} classes apart"
        require(found == self.classes, cause, HINT)
        self._target = config.quality_target
        self.count = len(self._data.pictures)
        shape = (3, self.fit.side, self.fit.side)
        self.columns: tuple[Column, ...] = (Column("images", shape),)
        self.sample_bytes = 4 * 3 * self.fit.side**2

    def load(self, indices: list[int]) -> tuple[Array]:
        """Fitted pictures, float32 (n, 3, side, side)."""
        import numpy as np

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return (np.stack(list(pool.map(self._prepare, indices))),)

    def _prepare(self, index: int) -> Array:
        return self.fit.prepare(self._data.read(index))

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """Responses from (n, most, 6) detections."""
        require_outputs(outputs, len(indices))
        return [self._rows(found, index) for found, index in zip(outputs[0], indices, strict=True)]

    def _rows(self, found: Array, index: int) -> Array:
        import numpy as np

        found = found[found[:, 4] > 0].astype(np.float32)
        picture = self._data.pictures[index]
        rows = np.empty((len(found), 7), dtype=np.float32)
        rows[:, 0] = index
        rows[:, 1:5] = self.fit.restore(found[:, :4], picture.width, picture.height)[:, [1, 0, 3, 2]]
        rows[:, 5] = found[:, 4]
        rows[:, 6] = np.asarray(self._data.category_ids)[found[:, 5].astype(np.int64)]
        return rows.reshape(-1)

    def facts(self) -> dict[str, Any]:
        """What the data are."""
        info = self._data.info
        facts = {"name": info.name, "tier": info.tier, "count": self.count, "categories": len(self._data.category_ids)}
        return facts | {"input": [3, self.fit.side, self.fit.side], "annotations": str(self._data.annotations)}

    def quality(self, log_dir: Path) -> Quality:
        """Mean average precision; also writes accuracy.txt beside the log."""
        from object_detection import metric

        return metric.score(log_dir, self._data, self._target)


class Detection800(ObjectDetection):
    """RetinaNet's input."""

    fit = Stretch(800)
    classes = 264


class Detection640(ObjectDetection):
    """YOLO11's input."""

    fit = Letterbox(640, fill=114)
    classes = 80


class Detection416(ObjectDetection):
    """YOLOv3-tiny's input."""

    fit = Letterbox(416, fill=127)
    classes = 80
