"""Optimisers and learning-rate schedules by name, all of them torch's own but LAMB's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trainer.recipe import Recipe

if TYPE_CHECKING:
    import torch


def make(recipe: Recipe, parameters: Sequence[Any]) -> torch.optim.Optimizer:
    """The recipe's optimiser over ``parameters`` (tensors, or torch's parameter groups)."""
    import torch

    common: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    adam = common | {"betas": recipe.betas, "eps": recipe.epsilon}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=recipe.momentum, nesterov=recipe.nesterov, **common)
    if recipe.optimizer == "adagrad":
        return torch.optim.Adagrad(parameters, **common)
    if recipe.optimizer == "lamb":
        from trainer.lamb import Lamb

        return Lamb(parameters, **adam)
    chosen = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return chosen(parameters, **adam)


def schedule(
    recipe: Recipe, optimizer: torch.optim.Optimizer, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """A schedule that is stepped after each optimiser step."""
    import torch

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor(recipe, steps_per_epoch))


def factor(recipe: Recipe, steps_per_epoch: int) -> Callable[[int], float]:
    """Step (from 0) → what the learning rate is multiplied by; a closed form, so that it needs no state."""
    warmup = recipe.warmup_steps
    span = max(1, (recipe.decay_epochs or recipe.epochs) * steps_per_epoch - warmup)
    floor = recipe.end_learning_rate / recipe.learning_rate

    def at(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / span)
        return _shape(recipe, done, step // steps_per_epoch, floor)

    return at


def _shape(recipe: Recipe, done: float, epoch: int, floor: float) -> float:
    """``done`` runs from 0 to 1 over the decay."""
    if recipe.schedule == "cosine":
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
    if recipe.schedule == "linear":
        return floor + (1 - floor) * (1 - done)
    if recipe.schedule == "polynomial":
        return floor + (1 - floor) * (1 - done) ** 2
    if recipe.schedule == "step":
        return recipe.decay_factor ** sum(epoch >= boundary for boundary in recipe.decay_at)
    if recipe.schedule == "onecycle":
        rise, start = 0.3, 0.04
        return start + (1 - start) * done / rise if done < rise else floor + (1 - floor) * (1 - done) / (1 - rise)
    return 1.0
