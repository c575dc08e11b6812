"""2-D segmentation as a task of the training harness: Dice on whole pictures that training never saw."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_training import pictures
from segmentation_training.pictures import Picture
from segmentation_training.splits import Whole, Windows
from trainer import datafiles
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch


class Segmentation(Task):
    """U-Net on a folder of pictures and masks.

    Options: `classes` (default 1: whatever a mask has above 0), `window` (side of the training windows, in pixels),
    `passes` (windows per pass, in tilings), `widths` (channels of each level, separated by commas).
    """

    metric = Metric("dice", target=0.93)
    recipe = Recipe(
        batch_size=8, epochs=12, optimizer="adamw", learning_rate=5e-3, schedule="cosine", eval_batch_size=4
    )
    channels_last = True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.classes = self._number("classes", 1)

    @cached_property
    def folder(self) -> Path:
        """The folder with train and test, its files held against their sums where there are any."""
        if self.setup.data is None:
            raise TrainingError("data", "no folder with pictures was given", "--pictures_path=FOLDER")
        datafiles.verify(self.setup.data)
        return self.setup.data

    @cached_property
    def train(self) -> list[Picture]:
        """The pictures to learn from."""
        return pictures.read(self.folder / "train", self.classes)

    def splits(self) -> tuple[Split, Split]:
        """Windows of the training pictures; the test pictures whole."""
        windows = Windows(self.train, self._number("window", 64), self._number("passes", 4))
        return windows, Whole(pictures.read(self.folder / "test", self.classes))

    def model(self) -> torch.nn.Module:
        """MONAI's U-Net, with one output per class and one for the background."""
        from segmentation_training.network import unet

        widths = self.setup.option("widths", "16,32,64").split(",")
        if not all(one.strip().isdecimal() and int(one) for one in widths):
            raise TrainingError(
                "config", f"widths {','.join(widths)!r} are no numbers of channels", "--widths=16,32,64"
            )
        return unet(len(self.train[0].image), self.classes + 1, [int(one) for one in widths])

    @cached_property
    def _criterion(self) -> torch.nn.Module:
        from monai.losses.dice import DiceCELoss

        return DiceCELoss(to_onehot_y=True, softmax=True, include_background=False)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Dice plus cross entropy, as MONAI has them."""
        found: torch.Tensor = self._criterion(model(batch["images"]).float(), batch["masks"])
        return found

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Each picture's mean Dice over the classes; a class that neither side has counts as found."""
        import torch
        from monai.metrics.meandice import compute_dice
        from monai.networks.utils import one_hot

        scores = []
        for image, mask in zip(batch["images"], batch["masks"], strict=True):
            found = model(image.unsqueeze(0)).argmax(1, keepdim=True)
            there, wanted = (one_hot(one, self.classes + 1) for one in (found, mask.unsqueeze(0)))
            scores.append(compute_dice(there, wanted, include_background=False, ignore_empty=False).mean())
        return torch.stack(scores).cpu()

    def _number(self, name: str, default: int) -> int:
        given = self.setup.option(name, str(default))
        if not given.isdecimal() or not int(given):
            raise TrainingError(
                "config", f"{name} is {given!r}, which is no whole number above 0", f"--{name}={default}"
            )
        return int(given)
