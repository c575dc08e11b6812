"""The task behind a data set of the user's own: pictures, masks or features, with any of the networks."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlperf_lite.dataset import Dataset
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

HOW = "docs/mlperf-lite.md, A data set of your own"


class OwnTask(Task):
    """Options: `dataset_class` (module:Class), `model` (a name of `network`, or module:Class).

    The metric is the share of right labels: of pictures (top1), or of pixels where labels are masks (pixel_accuracy).
    """

    recipe = Recipe(batch_size=64, epochs=20, optimizer="adamw", learning_rate=2e-3, schedule="onecycle")

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.metric = Metric("top1" if self._train[1].ndim == 1 else "pixel_accuracy", target=1.0)

    @cached_property
    def data(self) -> Dataset:
        """The user's data set, made."""
        kind = _named(self.setup.option("dataset_class", ""))
        try:
            made: Dataset = kind(self.setup.data)
        except Exception as error:
            raise TrainingError("data", f"{kind.__name__} cannot be made: {error}", HOW) from error
        if not isinstance(getattr(made, "classes", None), int):
            raise TrainingError("data", f"{kind.__name__} does not say how many classes there are", "classes = 10")
        return made

    @cached_property
    def _train(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self._samples("train")

    def _samples(self, part: str) -> tuple[torch.Tensor, torch.Tensor]:
        try:
            inputs, labels = getattr(self.data, part)()
        except Exception as error:
            raise TrainingError("data", f"{type(self.data).__name__}.{part}() failed: {error}", HOW) from error
        return _checked(inputs, labels, self.data.classes, f"{type(self.data).__name__}.{part}()")

    def splits(self) -> tuple[Split, Split]:
        """The user's samples; those to train go through the data set's `augment`."""
        return Samples(*self._train, augment=self.data.augment), Samples(*self._samples("test"))

    def model(self) -> torch.nn.Module:
        """The network for these inputs and classes."""
        return network(self.setup.option("model", "resnet"), tuple(self._train[0].shape[1:]), self.data.classes)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Cross entropy, per picture or per pixel."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(model(_ready(batch["inputs"])), batch["labels"])

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Which labels are right."""
        return (model(_ready(batch["inputs"])).argmax(1) == batch["labels"]).cpu()


class Samples:
    """Inputs and labels in memory."""

    def __init__(self, inputs: torch.Tensor, labels: torch.Tensor, augment: Any = None) -> None:
        self._inputs, self._labels, self._augment = inputs, labels, augment

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """The samples at ``indices``, augmented where they are to be."""
        import torch

        rows = torch.as_tensor(indices)
        inputs = self._inputs[rows]
        return {"inputs": self._augment(inputs, draw) if self._augment else inputs, "labels": self._labels[rows]}


def network(name: str, shape: tuple[int, ...], classes: int) -> torch.nn.Module:
    """A fresh network for inputs of ``shape``; TrainingError of kind `config` for a name that is none.

    `linear` and `mlp` take anything; `resnet` and the networks of image classification take pictures; `unet` gives a
    class to every pixel; `module:Class` is the user's own, called with the shape and the number of classes.
    """
    import torch
    from torch import nn

    if ":" in name:
        made: torch.nn.Module = _named(name)(shape, classes)
        return made
    features = int(torch.Size(shape).numel())
    if name == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, classes))
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, classes))
    if len(shape) != 3:
        raise TrainingError("config", f"{name} takes pictures, these inputs are {shape}", "model: {name: mlp}")
    return _of_pictures(name, shape, classes)


def _of_pictures(name: str, shape: tuple[int, ...], classes: int) -> torch.nn.Module:
    channels, height, width = shape
    if name == "unet":
        segmentation = importlib.import_module("segmentation_training.network")
        return segmentation.unet(channels, classes)  # type: ignore[no-any-return]
    networks = importlib.import_module("image_training.networks")
    named = {"resnet": "resnet8"}.get(name, name)
    return networks.build(named, channels, classes, max(height, width))  # type: ignore[no-any-return]


def _named(dotted: str) -> Any:
    """The class that ``module:Class`` names; TrainingError of kind `config` where there is none."""
    module, _, name = dotted.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        cause = f"there is no module {module}, which {dotted} names"
        raise TrainingError("config", cause, "dataset: {code: FOLDER} says where its file lies") from error
    except AttributeError as error:
        raise TrainingError("config", f"module {module} has no {name}", HOW) from error


def _checked(inputs: Any, labels: Any, classes: int, source: str) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    if not (isinstance(inputs, torch.Tensor) and isinstance(labels, torch.Tensor)):
        raise TrainingError("data", f"{source} gives no pair of tensors", HOW)
    if len(inputs) != len(labels):
        raise TrainingError("data", f"{source}: {len(inputs)} inputs and {len(labels)} labels", HOW)
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        wrong = int(labels.max()) if int(labels.max()) >= classes else int(labels.min())
        raise TrainingError("data", f"{source} has the label {wrong}; its classes are 0 to {classes - 1}", HOW)
    return inputs, labels.long()


def _ready(inputs: torch.Tensor) -> torch.Tensor:
    """Bytes as floats between 0 and 1; what is a float already is the user's business."""
    import torch

    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs
