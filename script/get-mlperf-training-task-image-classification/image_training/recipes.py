"""How each network is trained on each set, and to what quality, where nothing else is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.recipe import Recipe

_SGD = Recipe(
    batch_size=64,
    optimizer="sgd",
    learning_rate=0.3,
    nesterov=True,
    weight_decay=5e-4,
    label_smoothing=0.1,
    schedule="onecycle",
    eval_batch_size=500,
)
_ADAMW = Recipe(
    batch_size=64,
    optimizer="adamw",
    learning_rate=2e-3,
    weight_decay=0.01,
    label_smoothing=0.1,
    schedule="onecycle",
    eval_batch_size=500,
)


@dataclass(frozen=True)
class Plan:
    """A recipe and the top-1 accuracy (0…1) that ends the training."""

    recipe: Recipe
    target: float


def _sgd(epochs: int, target: float, **changes: object) -> Plan:
    return Plan(_SGD.replaced({"epochs": epochs, **changes}), target)


def _adamw(epochs: int, target: float, **changes: object) -> Plan:
    return Plan(_ADAMW.replaced({"epochs": epochs, **changes}), target)


#: (network, data set) → plan. Targets leave room for the seed; docs/training/image-classification.md has the figures.
SMALL = {
    ("resnet8", "cifar10"): _sgd(8, 0.78),
    ("resnet8", "fashion-mnist"): _sgd(4, 0.88, epoch_samples=12800),
    ("resnet8", "digits"): _sgd(8, 0.97),
    ("resnet8", "stripes"): _sgd(4, 0.94),
    ("efficientnet", "digits"): _adamw(12, 0.95),
    ("vit", "digits"): _adamw(16, 0.93, batch_size=32, label_smoothing=0.0),
}
#: for all other combinations: a start, whose targets nobody has measured
GENERAL = _sgd(30, 0.93, batch_size=128, learning_rate=0.1)
GENERAL_ADAMW = _adamw(30, 0.80, batch_size=128)


def plan(network: str, dataset: str) -> Plan:
    """The plan of a combination."""
    if network == "airbench":
        from image_training.airbench import RECIPE

        return Plan(RECIPE, 0.94)
    adaptive = network.startswith(("vit", "efficientnet"))
    return SMALL.get((network, dataset), GENERAL_ADAMW if adaptive else GENERAL)
