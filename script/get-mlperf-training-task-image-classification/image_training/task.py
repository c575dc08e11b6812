"""Image classification on sets that fit into memory, as a task of the training harness."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_training import cifar10, generated, idx, networks, recipes
from image_training.augment import Augmentation, Augmented, augment
from image_training.images import ImageSet
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Columns, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch


class ImageClassification(Task):
    """Top-1 accuracy of a network (option `network`) on ``dataset``; the set's own pixels normalise its images."""

    dataset: str
    augmentation = Augmentation()
    #: smaller pictures are enlarged to this side
    side = 0
    channels_last = True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.network = setup.option("network", "resnet8")
        plan = recipes.plan(self.network, self.dataset)
        self.recipe, self.metric = plan.recipe, Metric("top1", plan.target)

    def read(self, folder: Path | None) -> ImageSet:
        """The data set; TrainingError of kind `data` naming the file that cannot be used."""
        raise NotImplementedError

    @cached_property
    def images(self) -> ImageSet:
        """The data set, read once."""
        return self.read(self.setup.data)

    @cached_property
    def _train(self) -> Augmented:
        return Augmented(self.images.train, self.augmentation, self.setup.seed)

    def splits(self) -> tuple[Split, Split]:
        """Shifted and mirrored images to train, the test images as they are."""
        test = self.images.test
        return self._train, Columns(pixels=test.pixels, labels=test.labels)

    def before_epoch(self, model: torch.nn.Module, epoch: int) -> None:
        """Tell the training images which of them are mirrored this time."""
        self._train.epoch = epoch

    def state(self) -> dict[str, Any]:
        """The epoch whose mirror images are shown."""
        return {"epoch": self._train.epoch}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `state`."""
        self._train.epoch = state["epoch"]

    def model(self) -> torch.nn.Module:
        """The network for these images' channels and size."""
        import torch

        from image_training.whitened import SAMPLE, Whitened

        channels, height = self.images.train.pixels.shape[1:3]
        model = networks.build(self.network, channels, self.images.classes, max(height, self.side))
        if isinstance(model, Whitened):
            model.whiten_like(self._input({"pixels": self.images.train.pixels[:SAMPLE]}))
        # oneDNN convolves images in this order half as fast again, on any CPU
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    @cached_property
    def _statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images.train.statistics()

    def _input(self, batch: Batch) -> torch.Tensor:
        """What the network sees of a batch: augmented where it was drawn so, normalised, of the network's size."""
        import torch

        pixels = augment(batch, self.augmentation)
        mean, spread = (one.to(pixels.device) for one in self._statistics)
        made = (pixels.float() / 255 - mean) / spread
        if made.shape[-1] < self.side:
            made = torch.nn.functional.interpolate(made, size=(self.side, self.side), mode="bilinear")
        return made.contiguous(memory_format=torch.channels_last)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Cross entropy, with the recipe's label smoothing."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(model(self._input(batch)), batch["labels"], label_smoothing=self.recipe.label_smoothing)

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Which images are classified rightly; where training mirrors, an image's and its mirror's scores are added."""
        made = self._input(batch)
        scores = model(made)
        if self.augmentation.mirror:
            scores = scores + model(made.flip(3))
        return (scores.argmax(1) == batch["labels"]).cpu()

    def optimizer(self, model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
        """The recipe's; airbench gives its biases a rate of their own."""
        if self.network != "airbench":
            return super().optimizer(model, recipe)
        from image_training.airbench import parameter_groups
        from trainer.optimisers import make

        return make(recipe, parameter_groups(model, recipe))

    def _folder(self, folder: Path | None, flag: str) -> Path:
        if folder is None:
            raise TrainingError("data", f"no folder with {self.dataset} was given", flag)
        return folder


class Cifar10(ImageClassification):
    """CIFAR-10, or any set in its layout."""

    dataset = "cifar10"

    def read(self, folder: Path | None) -> ImageSet:
        """Six pickled batches."""
        return cifar10.read(self._folder(folder, "--cifar10_path=FOLDER with data_batch_1 …"))


class FashionMnist(ImageClassification):
    """Fashion-MNIST, or any set in MNIST's layout."""

    dataset = "fashion-mnist"

    def read(self, folder: Path | None) -> ImageSet:
        """Four IDX files."""
        return idx.read(self._folder(folder, "--fashion_mnist_path=FOLDER with train-images-idx3-ubyte.gz …"))


class Digits(ImageClassification):
    """scikit-learn's digits, enlarged to 16 × 16; a mirrored digit is no digit."""

    dataset = "digits"
    augmentation = Augmentation(shift=1, mirror=False)
    side = 16

    def read(self, folder: Path | None) -> ImageSet:
        """From the package; there is no folder."""
        return generated.digits()


class Stripes(ImageClassification):
    """Generated stripes in CIFAR-10's shape; a mirrored stripe is of another class."""

    dataset = "stripes"
    augmentation = Augmentation(mirror=False)

    def read(self, folder: Path | None) -> ImageSet:
        """Drawn anew, always the same."""
        return generated.stripes()
