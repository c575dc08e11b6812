"""What Mask R-CNN and SSD have in common as tasks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detection_training import vision
from detection_training.coco import HINT, TRAIN, VALIDATION, Pictures
from detection_training.metric import Detection, average_precision, detections
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.task import Batch, Setup, Task

if TYPE_CHECKING:
    import torch


class Detector(Task):
    """A torchvision detector on data in COCO's layout; the quality is the average precision of its boxes."""

    masks = False

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "object detection needs a folder with pictures and annotations", HINT)
        given = setup.option("torchvision", "")
        self.torchvision = vision.load(Path(given) if given else None)
        self.root = setup.data

    @cached_property
    def _parts(self) -> tuple[Pictures, Pictures]:
        verify(self.root)
        train = Pictures(self.root, TRAIN, training=True, masks=self.masks)
        validation = Pictures(self.root, VALIDATION, training=False, masks=self.masks)
        if train.categories != validation.categories:
            cause = f"{validation.annotations}: other categories than in {train.annotations.name}"
            raise TrainingError("data", cause, HINT)
        return train, validation

    def splits(self) -> tuple[Pictures, Pictures]:
        """train2017 and val2017."""
        return self._parts

    @property
    def classes(self) -> int:
        """Categories and the background."""
        return len(self._parts[0].categories) + 1

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The sum of all parts of the detector's loss."""
        parts: dict[str, torch.Tensor] = model(batch["images"], batch["targets"])
        return torch_sum(parts)

    def judge(self, model: torch.nn.Module, batch: Batch) -> list[Detection]:
        """What was found, in COCO's result format."""
        numbers = [target["image_id"] for target in batch["targets"]]
        return detections(model(batch["images"]), numbers, self._parts[1].categories)

    def quality(self, evidence: Sequence[Any]) -> float:
        """Average precision of the boxes."""
        found = [one for part in evidence for one in part]
        return average_precision(self._parts[1].coco, found, "bbox")


def torch_sum(parts: dict[str, torch.Tensor]) -> torch.Tensor:
    """The sum of scalars."""
    import torch

    return torch.stack(list(parts.values())).sum()
