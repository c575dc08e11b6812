"""CosmoFlow: from the distribution of matter to the parameters of the universe.

Source of network, data, loss, metric and recipe: MLPerf HPC, cosmoflow (Mathuriya et al. 2018, arXiv 1808.04728).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpc_training.density_files import universes
from hpc_training.files import Stored, data_folder
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from hpc_training.density_files import Universe

WANTED = "train/*.tfrecord and validation/*.tfrecord, one universe in each"


class CosmoFlow(Task):
    """Options: layers and filters of the network, dropout."""

    metric = Metric("mean_absolute_error", target=0.124, higher_is_better=False)
    recipe = Recipe(
        batch_size=32,
        epochs=30,
        eval_batch_size=64,
        optimizer="adamw",
        learning_rate=2e-3,
        schedule="cosine",
        weight_decay=1e-4,
        warmup_steps=50,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.layers, self.filters = whole(setup, "layers", 3), whole(setup, "filters", 16)
        self.dropout = fraction(setup, "dropout", 0.0)
        self.side = 0

    def splits(self) -> tuple[Split, Split]:
        """All files of the folders train and validation."""
        folder = data_folder(self.setup, WANTED)
        train, validation = (universes(folder / part) for part in ("train", "validation"))
        self.side = _side(train)
        if self.side % 2**self.layers:
            cause = f"a cube of {self.side} cannot be halved {self.layers} times"
            raise TrainingError("config", cause, f"layers: at most {_halvings(self.side)}")
        return train, validation

    def model(self) -> torch.nn.Module:
        """Maps (batch, 4, side, side, side) to four parameters; the size of the data must be known by then."""
        from hpc_training.cosmonet import network

        return network(self.side, self.layers, self.filters, self.dropout)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The mean squared error."""
        import torch

        return torch.nn.functional.mse_loss(model(batch["x"]).float(), batch["y"])

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """The absolute error of each parameter."""
        return (model(batch["x"]).float() - batch["y"]).abs().flatten().tolist()

    def quality(self, evidence: Sequence[Evidence]) -> float:
        """The mean over all universes and parameters."""
        errors = [error for batch in evidence for error in batch]
        return math.fsum(errors) / len(errors)

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """The keys of ruleset hpc 3.0.0."""
        return {
            "opt_learning_rate_warmup_epochs": 0,
            "opt_learning_rate_warmup_factor": 0.0,
            "opt_learning_rate_decay_boundary_epochs": list(recipe.decay_at),
            "opt_learning_rate_decay_factor": recipe.decay_factor,
            "dropout": self.dropout,
        }


def whole(setup: Setup, name: str, default: int) -> int:
    """An option that is a number above zero; TrainingError for another text."""
    text = setup.option(name, str(default))
    if not text.isdecimal() or not int(text):
        raise TrainingError("config", f"option {name} is {text!r}, not a whole number above 0", f"{name}: {default}")
    return int(text)


def fraction(setup: Setup, name: str, default: float) -> float:
    """An option from 0 to below 1; TrainingError for another text."""
    text = setup.option(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1:
        raise TrainingError("config", f"option {name} is {text!r}, not a number from 0 to below 1", f"{name}: {default}")
    return value


def _side(split: Stored[Path, Universe]) -> int:
    return int(split[0][0].shape[-1])


def _halvings(side: int) -> int:
    return (side & -side).bit_length() - 1
