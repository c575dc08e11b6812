"""3D U-Net as a training task (Çiçek et al. 2016; Isensee et al. 2018); MLPerf training v1.0 to v4.0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medical_training.volumes import HINT, Folder, Patches, Volumes, read
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Metric, Task

if TYPE_CHECKING:
    import torch


class UNet3D(Task):
    """The reference's network, patches of 128 voxels, loss (Dice and cross entropy) and metric.

    The quality is the Dice score of the classes besides the background, averaged over classes, then over cases.
    """

    metric = Metric("mean_dice", target=0.908)
    recipe = Recipe(
        batch_size=2,
        eval_batch_size=1,
        epochs=10000,
        eval_every=20,
        optimizer="sgd",
        learning_rate=0.8,
        momentum=0.9,
        warmup_steps=16800,
    )
    filters: tuple[int, ...] = (32, 64, 128, 256, 320, 320)
    patch = 128
    norm = "instance"
    #: one Dice score over a whole batch, since a class is often missing from a small patch
    batch_dice = False

    @cached_property
    def _folder(self) -> Folder:
        if self.setup.data is None:
            raise TrainingError("data", "3-D segmentation needs a folder of prepared cases", HINT)
        verify(self.setup.data)
        return read(self.setup.data)

    def splits(self) -> tuple[Patches, Volumes]:
        """A patch of each training case per epoch; the evaluation cases as they are."""
        return Patches(self._folder.training, self.patch), Volumes(self._folder.evaluation)

    def model(self) -> torch.nn.Module:
        """MONAI's DynUNet with the reference's widths, two convolutions a level and instance norm."""
        from monai.networks.nets.dynunet import DynUNet

        levels = len(self.filters)
        strides = [1] + [2] * (levels - 1)
        network: torch.nn.Module = DynUNet(
            spatial_dims=3,
            in_channels=1,
            out_channels=self._folder.classes + 1,
            kernel_size=[3] * levels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=list(self.filters),
            norm_name=self.norm,
            act_name="relu",
        )
        return network

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """What ruleset 4.0.0 wants of this benchmark."""
        steps = max(1, len(self._folder.training) // recipe.batch_size)
        return {
            "opt_learning_rate_warmup_epochs": recipe.warmup_steps // steps,
            "opt_learning_rate_decay_boundary_epochs": list(recipe.decay_at),
            "opt_learning_rate_decay_factor": recipe.decay_factor,
        }

    @cached_property
    def _criterion(self) -> Any:
        from monai.losses.dice import DiceCELoss

        settings: dict[str, Any] = {
            "lambda_dice": 0.5,
            "lambda_ce": 0.5,
            "smooth_nr": 1e-6,
            "smooth_dr": 1e-6,
            "batch": self.batch_dice,
        }
        return DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, **settings)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Half the Dice loss and half the cross entropy."""
        found: torch.Tensor = self._criterion(model(batch["image"]), batch["label"])
        return found

    def judge(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Dice scores [cases, classes], from windows that overlap by half, weighted towards their middle."""
        import torch
        from monai.inferers.utils import sliding_window_inference
        from monai.metrics.meandice import DiceMetric

        scores = []
        for image, label in zip(batch["image"], batch["label"], strict=True):
            window = (self.patch,) * 3
            answer: Any = sliding_window_inference(image[None], window, 4, model, overlap=0.5, mode="gaussian")
            # a class that is neither there nor found counts as found
            metric = DiceMetric(include_background=False, ignore_empty=False, num_classes=self._folder.classes + 1)
            score: Any = metric(answer.argmax(1, keepdim=True), label[None])
            scores.append(score.float().cpu())
        return torch.cat(scores)

    def quality(self, evidence: Sequence[Any]) -> float:
        """The mean over classes and cases."""
        import torch

        return float(torch.cat([torch.as_tensor(one) for one in evidence]).double().mean())


class SmallUNet3D(UNet3D):
    """The same shape with three levels and batch norm, on patches of 32 voxels."""

    metric = Metric("mean_dice", target=0.83)
    recipe = Recipe(
        batch_size=2,
        eval_batch_size=1,
        epochs=24,
        eval_every=2,
        optimizer="adamw",
        learning_rate=8e-3,
        weight_decay=1e-4,
        warmup_steps=16,
        schedule="cosine",
        decay_epochs=20,
    )
    filters = (8, 16, 32)
    patch = 32
    norm = "batch"
    batch_dice = True
