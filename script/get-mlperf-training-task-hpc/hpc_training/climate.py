"""DeepCAM: which cell of a weather map belongs to a tropical cyclone, which to an atmospheric river?

Source of data, loss, metric and recipe: MLPerf HPC, deepcam (Kurth et al. 2018, arXiv 1810.01993). Its network is
DeepLabv3+ over Xception. Here `deeplabv3+` is transformers' DeepLabv3+ over MobileNetV2, and `unet` is MONAI's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpc_training.climate_files import CHANNELS, CLASSES, STATS, Scaling, maps
from hpc_training.files import data_folder
from hpc_training.sizes import chosen
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

#: how much of the official maps is background, cyclone, river; the rarer a class, the more it counts
SHARES = (0.986267818390377, 0.0004578708870701058, 0.01327431072255291)
LOSS_POWER = -0.125
WANTED = "train/*.h5 and validation/*.h5 with climate/data and climate/labels_0, and stats.h5"


RECIPES = {
    "unet": Recipe(
        batch_size=8, epochs=20, eval_batch_size=20, optimizer="adamw", learning_rate=5e-3, weight_decay=1e-2
    ),
    # the reference's for 1024 ranks; its step 800, where the rate falls, lies in epoch 14
    "deeplabv3+": Recipe(
        batch_size=2048,
        epochs=200,
        eval_batch_size=2,
        optimizer="lamb",
        learning_rate=0.0055,
        epsilon=1e-6,
        weight_decay=1e-2,
        warmup_steps=400,
        schedule="step",
        decay_at=(14,),
    ),
}


class DeepCam(Task):
    """Options: network (unet or deeplabv3+)."""

    metric = Metric("mean_iou", target=0.82)
    channels_last = True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.recipe = chosen(setup, RECIPES)

    def splits(self) -> tuple[Split, Split]:
        """All files of the folders train and validation."""
        folder = data_folder(self.setup, WANTED, "--cam5_path=FOLDER")
        scaling = Scaling(folder / STATS)
        return maps(folder / "train", scaling), maps(folder / "validation", scaling)

    def model(self) -> torch.nn.Module:
        """Maps (batch, 16, height, width) to logits (batch, 3, height, width)."""
        return chosen(self.setup, {"unet": unet, "deeplabv3+": deeplab})()

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Cross entropy, each class weighed as in the reference."""
        import torch

        weight = torch.tensor([share**LOSS_POWER for share in SHARES], device=batch["x"].device)
        logits = model(batch["x"]).float()
        losses = torch.nn.functional.cross_entropy(logits, batch["y"], weight=weight, reduction="none")
        return losses.mean()

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """The score of each map."""
        return intersection_over_union(model(batch["x"]).argmax(1), batch["y"]).tolist()

    def quality(self, evidence: Sequence[Evidence]) -> float:
        """The mean over all maps."""
        scores = [score for batch in evidence for score in batch]
        return math.fsum(scores) / len(scores)

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """The keys of ruleset hpc 3.0.0."""
        names = {"adam": "Adam", "adamw": "AdamW", "lamb": "LAMB"}
        schedules = {"step": "multistep", "cosine": "cosine_annealing"}
        return {
            "batchnorm_group_size": 1,
            "opt_name": names.get(recipe.optimizer, recipe.optimizer),
            "opt_lr": recipe.learning_rate,
            "opt_betas": list(recipe.betas),
            "opt_eps": recipe.epsilon,
            "scheduler_type": schedules.get(recipe.schedule, recipe.schedule),
            "scheduler_lr_warmup_steps": recipe.warmup_steps,
            "scheduler_lr_warmup_factor": 1.0,
        }


def intersection_over_union(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The mean over the classes of |both| / |either|, for each map of (batch, height, width); shape (batch,).

    A class that neither has counts as 1, as in the reference.
    """
    import torch

    scores = []
    for label in range(CLASSES):
        ours, theirs = (predicted == label).flatten(1), (truth == label).flatten(1)
        both, either = (ours & theirs).sum(1), (ours | theirs).sum(1)
        scores.append(torch.where(either == 0, 1.0, both / either.clamp(min=1)))
    return torch.stack(scores).mean(0)


def unet() -> torch.nn.Module:
    """MONAI's, with three levels."""
    from monai.networks.nets.unet import UNet

    network: torch.nn.Module = UNet(2, CHANNELS, CLASSES, (16, 32, 64), (2, 2), num_res_units=1)
    return network


def deeplab() -> torch.nn.Module:
    """transformers' DeepLabv3+."""
    from hpc_training.deeplab import DeepLab

    return DeepLab()
