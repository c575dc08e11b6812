"""ImageNet and ResNet-50, MLPerf's image classification: top-1 of 75.9 % (training rules, rounds 0.6 to 4.0)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from image_training import networks
from image_training.folders import Files, Pictures, find
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

#: of ImageNet's training images, per channel, between 0 and 1
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: MLPerf's own unit: images in one pass
IMAGENET_TRAIN = 1_281_167


class ImageNet(Task):
    """Top-1 accuracy of a network (options `network`, `side`) on folders of images, one per class."""

    metric = Metric("top1", target=0.759)
    recipe = Recipe(
        batch_size=1024,
        epochs=90,
        eval_batch_size=128,
        eval_every=4,
        optimizer="sgd",
        learning_rate=0.8,
        end_learning_rate=1e-4,
        momentum=0.9,
        weight_decay=5e-5,
        schedule="polynomial",
        warmup_steps=5 * (IMAGENET_TRAIN // 1024),
        label_smoothing=0.1,
    )
    channels_last = True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.network = setup.option("network", "resnet50")
        given = setup.option("side", "224")
        if not given.isdecimal() or int(given) < 16:
            raise TrainingError("config", f"side is {given!r}, no whole number from 16", "--side=224")
        self.side = int(given)

    @cached_property
    def _train(self) -> Files:
        if self.setup.data is None:
            raise TrainingError("data", "no folder with ImageNet was given", "--imagenet_path=FOLDER")
        return find(self.setup.data / "train")

    def splits(self) -> tuple[Split, Split]:
        """Random windows of train/, the centres of val/."""
        assert self._train and self.setup.data
        test = find(self.setup.data / "val", self._train.classes)
        return Pictures(self._train, self.side, random=True), Pictures(test, self.side, random=False)

    def model(self) -> torch.nn.Module:
        """ResNet-50 v1.5 (stride in the 3 × 3 convolution), or the network of the option."""
        return networks.build(self.network, 3, len(self._train.classes), self.side)

    def _input(self, pixels: torch.Tensor) -> torch.Tensor:
        import torch

        mean, spread = (torch.tensor(one, device=pixels.device).view(1, 3, 1, 1) for one in (MEAN, SPREAD))
        return ((pixels.float() / 255 - mean) / spread).contiguous(memory_format=torch.channels_last)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Cross entropy, with the recipe's label smoothing."""
        from torch.nn.functional import cross_entropy

        scores = model(self._input(batch["pixels"]))
        return cross_entropy(scores, batch["labels"], label_smoothing=self.recipe.label_smoothing)

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Which images are classified rightly."""
        return (model(self._input(batch["pixels"])).argmax(1) == batch["labels"]).cpu()

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """What closed ResNet of rules 3.1 and 4.0 wants to be told, with SGD."""
        steps = max(1, len(self._train.paths) // recipe.batch_size)
        return {
            "opt_name": "sgd",
            "sgd_opt_base_learning_rate": recipe.learning_rate,
            "sgd_opt_end_learning_rate": recipe.end_learning_rate,
            "sgd_opt_learning_rate_decay_poly_power": 2,
            "sgd_opt_learning_rate_decay_steps": recipe.epochs * steps - recipe.warmup_steps,
            "sgd_opt_weight_decay": recipe.weight_decay,
            "sgd_opt_momentum": recipe.momentum,
            "opt_learning_rate_warmup_epochs": recipe.warmup_steps / steps,
            "model_bn_span": recipe.batch_size,
        }
