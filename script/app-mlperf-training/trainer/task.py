"""What a training benchmark has to say about itself. All else (loop, engine, log, checkpoints) is the harness's.

A task is one class. The least of them gives two splits, a model, a loss, and how an answer is judged:

    class Digits(Task):
        metric = Metric("top1", target=0.97)
        recipe = Recipe(batch_size=64, epochs=10, learning_rate=0.1)
        def splits(self): return Columns(x=..., y=...), Columns(x=..., y=...)
        def model(self): return nn.Sequential(...)
        def loss(self, model, batch): return cross_entropy(model(batch["x"]), batch["y"])
        def judge(self, model, batch): return model(batch["x"]).argmax(1) == batch["y"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trainer.recipe import Recipe

if TYPE_CHECKING:
    import torch

Batch = Any
Evidence = Any


@dataclass(frozen=True)
class Metric:
    """The quality that decides when training is over. ``target`` has the metric's own unit (0.97, not 97 %)."""

    name: str
    target: float
    higher_is_better: bool = True

    def reached(self, value: float, target: float | None = None) -> bool:
        """Whether ``value`` is as good as the target (or as ``target``, where another one was asked for)."""
        wanted = self.target if target is None else target
        return value >= wanted if self.higher_is_better else value <= wanted


@dataclass(frozen=True)
class Setup:
    """What a task is made from: the folder of its data (None: it makes its own), options of its variations, a seed."""

    data: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def option(self, name: str, default: str) -> str:
        """The value of one option, as text."""
        return self.options.get(name, default)


class Split(Protocol):
    """A set of samples that hands out batches."""

    def __len__(self) -> int:
        """How many samples there are."""
        ...

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> Batch:
        """The samples at ``indices``; all randomness (augmentation) must come from ``draw``, so that it repeats."""
        ...


class Columns:
    """Samples held in memory as tensors of equal length; a batch is a dictionary of their rows."""

    def __init__(self, **columns: torch.Tensor) -> None:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns differ in length: {lengths}")
        self.columns = columns
        self._length = next(iter(lengths.values()))

    def __len__(self) -> int:
        return self._length

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """The rows at ``indices`` of each column."""
        import torch

        rows = torch.as_tensor(indices)
        return {name: column[rows] for name, column in self.columns.items()}


class Task:
    """One training benchmark. Subclasses set the class attributes and override what differs from these defaults.

    Before anything is trained, `recipe` becomes that of this training: with what the user changed.
    """

    metric: Metric
    recipe: Recipe
    #: image networks that run faster in NHWC order on a GPU
    channels_last: bool = False
    #: networks in which a step may leave parameters without a gradient (DDP must then look for them)
    unused_parameters: bool = False

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def splits(self) -> tuple[Split, Split]:
        """The training samples and the evaluation samples, which must not overlap."""
        raise NotImplementedError

    def model(self) -> torch.nn.Module:
        """A fresh network; the harness has seeded torch before it asks."""
        raise NotImplementedError

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The scalar to be minimised, of one training batch. ``model`` may be wrapped: call it, take no attributes."""
        raise NotImplementedError

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """What one evaluation batch says about the quality, in a form that can be sent between processes.

        ``model`` is the bare network in eval mode, gradients are off.
        """
        raise NotImplementedError

    def quality(self, evidence: Sequence[Evidence]) -> float:
        """The metric over all evidence, in no particular order. By default the share of true values."""
        import torch

        flags = torch.cat([torch.as_tensor(one).reshape(-1) for one in evidence])
        return float(flags.double().mean())

    def logged(self, quality: float) -> float | dict[str, float]:
        """What the log shall say of the last evaluation: its quality, or the figures that it was made of, by name."""
        return quality

    def optimizer(self, model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
        """The optimiser; by default the one that the recipe names, over all parameters that want a gradient."""
        from trainer.optimisers import make

        return make(recipe, [parameter for parameter in model.parameters() if parameter.requires_grad])

    def before_epoch(self, model: torch.nn.Module, epoch: int) -> None:
        """Called on every rank before epoch ``epoch`` (from 0). Tasks that make their data (self-play) do it here."""

    def tokens(self, batch: Batch) -> int | None:
        """Tokens in a batch without its padding, for tasks that are counted so."""
        return None

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """What the closed division's rules want logged of this benchmark, under MLPerf's keys."""
        return {}

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep besides model and optimiser: tensors and plain values only."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
