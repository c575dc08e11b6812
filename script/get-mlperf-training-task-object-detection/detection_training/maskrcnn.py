"""Mask R-CNN as a training task (He et al. 2017); MLPerf training v0.5 to v3.1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detection_training.base import Detector
from detection_training.metric import average_precision
from trainer.recipe import Recipe
from trainer.task import Metric

if TYPE_CHECKING:
    import torch

#: MLPerf's targets: average precision of boxes and of masks
BOX_AP, MASK_AP = 0.377, 0.339


class MaskRCNN(Detector):
    """ResNet-50 with feature pyramid at 800 pixels, as the reference has it.

    Both precisions must reach their target, so the quality is the smaller of their shares of it: 1 where both do.
    Option ``backbone``: a file with ImageNet weights of torchvision's ResNet-50.
    """

    metric = Metric("share_of_box_and_mask_ap", target=1.0)
    recipe = Recipe(
        batch_size=16,
        eval_batch_size=8,
        epochs=26,
        optimizer="sgd",
        learning_rate=0.02,
        momentum=0.9,
        weight_decay=1e-4,
        warmup_steps=500,
        schedule="step",
        decay_at=(8, 11),
    )
    masks = True
    _last: dict[str, float]

    def model(self) -> torch.nn.Module:
        """torchvision's Mask R-CNN."""
        from detection_training import networks

        backbone = self.setup.option("backbone", "")
        return networks.maskrcnn_resnet50(self.classes, Path(backbone) if backbone else None)

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """What ruleset 3.1.0 wants of this benchmark."""
        steps = len(self.splits()[0]) // recipe.batch_size
        return {
            "opt_learning_rate_warmup_factor": 1 / max(1, recipe.warmup_steps),
            "opt_learning_rate_decay_factor": recipe.decay_factor,
            "opt_learning_rate_decay_steps": [epoch * steps for epoch in recipe.decay_at],
            **self.sizes(),
        }

    def sizes(self) -> dict[str, object]:
        """Proposals per picture in training, and the bounds of its sides."""
        return {"num_image_candidates": 2000, "min_image_size": 800, "max_image_size": 1333}

    def quality(self, evidence: Sequence[Any]) -> float:
        """The smaller of both precisions, each as a share of its target."""
        found, truth = [one for part in evidence for one in part], self.splits()[1].coco
        self._last = {kind.upper(): average_precision(truth, found, kind) for kind in ("bbox", "segm")}
        return min(self._last["BBOX"] / BOX_AP, self._last["SEGM"] / MASK_AP)

    def logged(self, quality: float) -> dict[str, float]:
        """Both precisions of the last evaluation, as MLPerf's log wants them."""
        return dict(self._last)


class SmallMaskRCNN(MaskRCNN):
    """The same shape with a small backbone, for pictures of 128 pixels."""

    recipe = Recipe(
        batch_size=8,
        eval_batch_size=16,
        epochs=12,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup_steps=30,
        schedule="cosine",
        clip_norm=5.0,
    )

    def model(self) -> torch.nn.Module:
        """For pictures as large as those of the data."""
        from detection_training import networks

        return networks.maskrcnn_small(self.classes, self._side)

    def sizes(self) -> dict[str, object]:
        """Of the small network."""
        return {"num_image_candidates": 100, "min_image_size": self._side, "max_image_size": self._side}

    @property
    def _side(self) -> int:
        return int(self.setup.option("size", "128"))
