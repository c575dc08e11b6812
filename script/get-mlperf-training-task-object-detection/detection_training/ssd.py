"""SSD as a training task (Liu et al. 2016); MLPerf training v0.5 to v1.1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from detection_training.base import Detector
from trainer.recipe import Recipe
from trainer.task import Metric

if TYPE_CHECKING:
    import torch


class SSD(Detector):
    """SSD with ResNet-34 at 300 pixels, as the reference has it.

    Option ``backbone``: a file with ImageNet weights of torchvision's ResNet-34.
    """

    metric = Metric("box_ap", target=0.23)
    recipe = Recipe(
        batch_size=32,
        eval_batch_size=32,
        epochs=80,
        eval_every=5,
        optimizer="sgd",
        learning_rate=2.5e-3,
        momentum=0.9,
        weight_decay=5e-4,
        warmup_steps=300,
        schedule="step",
        decay_at=(44, 55),
    )

    def model(self) -> torch.nn.Module:
        """torchvision's SSD over that backbone."""
        from detection_training import networks

        backbone = self.setup.option("backbone", "")
        return networks.ssd_resnet34(self.classes, Path(backbone) if backbone else None)

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """What ruleset 1.1.0 wants of this benchmark; pictures are not cropped, so one sample is enough."""
        return {
            "model_bn_span": recipe.batch_size,
            "max_samples": 1,
            "opt_learning_rate_warmup_factor": 0.0,
            "opt_learning_rate_decay_boundary_epochs": list(recipe.decay_at),
        }


class SmallSSD(SSD):
    """The same shape with a small backbone, for pictures of 128 pixels."""

    recipe = Recipe(
        batch_size=16,
        eval_batch_size=32,
        epochs=20,
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

        return networks.ssd_small(self.classes, int(self.setup.option("size", "128")))
