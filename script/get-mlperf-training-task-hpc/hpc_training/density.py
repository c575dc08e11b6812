"""CosmoFlow: from the distribution of matter to the parameters of the universe.

Source of network, data, loss, metric and recipe: MLPerf HPC, cosmoflow (Mathuriya et al. 2018, arXiv 1808.04728).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpc_training.density_files import universes
from hpc_training.files import Stored, data_folder
from hpc_training.sizes import OFFICIAL, SMALL, chosen
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from hpc_training.density_files import Universe

WANTED = "train/*.tfrecord and validation/*.tfrecord, one universe in each"


NETWORKS = {"small": SMALL, "official": OFFICIAL}
RECIPES = {
    "small": Recipe(
        batch_size=32,
        epochs=30,
        eval_batch_size=64,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup_steps=50,
        schedule="cosine",
    ),
    # four of the reference's epochs to warm up; it quarters the rate after 32 epochs and halves it after 64
    "official": Recipe(
        batch_size=64,
        epochs=128,
        eval_batch_size=64,
        optimizer="sgd",
        learning_rate=1e-3,
        warmup_steps=4 * 8192,
        schedule="step",
        decay_at=(32,),
        decay_factor=0.25,
    ),
}


class CosmoFlow(Task):
    """Options: network (small or official)."""

    metric = Metric("mean_absolute_error", target=0.124, higher_is_better=False)

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.size, self.recipe = chosen(setup, NETWORKS), chosen(setup, RECIPES)
        self.side = 0

    def splits(self) -> tuple[Split, Split]:
        """All files of the folders train and validation."""
        folder = data_folder(self.setup, WANTED, "--cosmoflow_path=FOLDER")
        train, validation = (universes(folder / part) for part in ("train", "validation"))
        self.side = _side(train)
        if self.side % 2**self.size.layers:
            cause = f"{folder}: a cube of {self.side} cannot be halved {self.size.layers} times, as the network does"
            raise TrainingError(
                "data", cause, "cubes of 16, 32, 64 or 128 for the small network, of 128 for the official"
            )
        return train, validation

    def model(self) -> torch.nn.Module:
        """Maps (batch, 4, side, side, side) to four parameters; the size of the data must be known by then."""
        from hpc_training.cosmonet import network

        return network(self.side, self.size)

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
            "dropout": self.size.dropout,
        }


def _side(split: Stored[Path, Universe]) -> int:
    return int(split[0][0].shape[-1])
