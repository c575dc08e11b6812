"""How a task is trained: the hyper-parameters, as a value that is checked, stored and overridden field by field."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from trainer.errors import TrainingError

Optimizer = Literal["sgd", "adam", "adamw", "adagrad", "lamb"]
Schedule = Literal["constant", "cosine", "linear", "polynomial", "step", "onecycle"]
Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
NotNegativeReal = Annotated[float, msgspec.Meta(ge=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hyper-parameters. ``batch_size`` is global: over all ranks and accumulated steps.

    ``epochs`` is the most that may be trained before the run counts as not converged; an epoch is ``epoch_samples``
    long where that is given, else one pass. Quality is taken every ``eval_every`` epochs. ``warmup_steps`` counts
    optimiser steps; the learning rate rises linearly in them and then follows ``schedule`` to ``end_learning_rate``
    over ``decay_epochs`` (default ``epochs``). "step" multiplies by ``decay_factor`` at each of ``decay_at`` (epochs).
    """

    batch_size: Positive = 64
    epochs: Positive = 10
    epoch_samples: Positive | None = None
    eval_batch_size: Positive = 256
    eval_every: Positive = 1
    optimizer: Optimizer = "sgd"
    learning_rate: PositiveReal = 0.1
    end_learning_rate: NotNegativeReal = 0.0
    momentum: Fraction = 0.9
    nesterov: bool = False
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    epsilon: PositiveReal = 1e-8
    weight_decay: NotNegativeReal = 0.0
    schedule: Schedule = "constant"
    warmup_steps: NotNegative = 0
    decay_epochs: Positive | None = None
    decay_at: tuple[Positive, ...] = ()
    decay_factor: PositiveReal = 0.1
    clip_norm: PositiveReal | None = None
    label_smoothing: Fraction = 0.0

    def replaced(self, changes: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields changed; texts are converted where the field is a number.

        Raises:
            TrainingError: kind `config`, naming the field, with the nearest known name for an unknown one.
        """
        for name in changes:
            if name not in self.__struct_fields__:
                near = difflib.get_close_matches(name, self.__struct_fields__, 1, 0.5)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self.__struct_fields__)}"
                raise TrainingError("config", f"there is no hyper-parameter {name!r}", hint)
        merged = msgspec.to_builtins(self) | dict(changes)
        try:
            return msgspec.convert(merged, Recipe, strict=False)
        except msgspec.ValidationError as error:
            raise TrainingError("config", f"hyper-parameters: {error}", f"given: {dict(changes)}") from error
