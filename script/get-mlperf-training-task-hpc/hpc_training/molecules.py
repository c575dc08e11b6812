"""Open Catalyst 2020, structure to energy and forces: how is each atom of a molecule on a surface pulled?

Source of data layout, loss, metric and recipe: MLPerf HPC, open_catalyst (Chanussot et al. 2021, arXiv 2010.09990). Its
network is DimeNet++; this is SchNet (Schütt et al. 2017), one of the networks that Open Catalyst itself compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpc_training.files import Stored, data_folder
from hpc_training.molecule_files import Database, Structure, structures
from hpc_training.sizes import chosen
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

WANTED = "train/*.lmdb and validation/*.lmdb of Open Catalyst's S2EF, with edges"
#: structures that tell the spread of energies and forces
SURVEYED = 512


@dataclass(frozen=True)
class Kind:
    """How one of the networks is trained: what counts for how much in the loss, to which force error in eV/Å."""

    energy_weight: float
    force_weight: float
    target: float
    recipe: Recipe


KINDS = {
    "small": Kind(
        energy_weight=0.02,
        force_weight=1.0,
        target=0.20,
        recipe=Recipe(
            batch_size=16,
            epochs=30,
            eval_batch_size=80,
            optimizer="adamw",
            learning_rate=2e-3,
            schedule="cosine",
            clip_norm=10.0,
        ),
    ),
    # Open Catalyst's for SchNet on 2 million structures; decay_at are the epochs of its steps 52083, 83333, 104166
    "schnet-oc20": Kind(
        energy_weight=1.0,
        force_weight=100.0,
        target=0.036,
        recipe=Recipe(
            batch_size=192,
            epochs=30,
            eval_batch_size=24,
            optimizer="adamw",
            learning_rate=1e-4,
            warmup_steps=31250,
            schedule="step",
            decay_at=(5, 8, 10),
        ),
    ),
}


class OpenCatalyst(Task):
    """Options: network (small or schnet-oc20)."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.kind = chosen(setup, KINDS)
        self.recipe = self.kind.recipe
        self.metric = Metric("force_mae", self.kind.target, higher_is_better=False)
        self.mean, self.spread = 0.0, 1.0

    def splits(self) -> tuple[Split, Split]:
        """All files of the folders train and validation."""
        folder = data_folder(self.setup, WANTED, "--oc20_path=FOLDER")
        train = structures(folder / "train")
        if len(train):
            self.mean, self.spread = survey(train)
        return train, structures(folder / "validation")

    def model(self) -> torch.nn.Module:
        """From a batch to energies and forces, in units of the spread."""
        from hpc_training.schnet import OFFICIAL, ForceField, Size

        return ForceField(chosen(self.setup, {"small": Size(), "schnet-oc20": OFFICIAL}))

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The mean absolute error of the forces on free atoms, and of the energies."""
        energies, forces = model(batch)
        wrong = (forces - batch["forces"] / self.spread)[batch["free"]].abs().mean()
        off = (energies - (batch["energies"] - self.mean) / self.spread).abs().mean()
        total: torch.Tensor = self.kind.force_weight * wrong + self.kind.energy_weight * off
        return total

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Sum and number of the absolute errors of the forces on free atoms, in eV/Å."""
        _, forces = model(batch)
        errors = (forces * self.spread - batch["forces"])[batch["free"]].abs()
        return float(errors.double().sum()), errors.numel()

    def quality(self, evidence: Sequence[Evidence]) -> float:
        """The mean over all components of all forces on free atoms."""
        count = sum(one[1] for one in evidence)
        return math.fsum(one[0] for one in evidence) / count if count else math.nan

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        """The keys of ruleset hpc 3.0.0."""
        return {
            "opt_name": {"adamw": "AdamW"}.get(recipe.optimizer, recipe.optimizer),
            "opt_learning_rate_warmup_factor": 0.0,
            "opt_learning_rate_decay_boundary_steps": list(recipe.decay_at),
            "opt_learning_rate_decay_factor": recipe.decay_factor,
        }


def survey(train: Stored[tuple[Database, int], Structure]) -> tuple[float, float]:
    """The mean energy in eV, and the standard deviation of the forces on free atoms in eV/Å."""
    import torch

    seen = [train[index] for index in range(min(len(train), SURVEYED))]
    forces = torch.cat([one.forces[one.free] for one in seen])
    spread = float(forces.std()) if forces.numel() > 1 else 0.0
    return float(torch.stack([one.energy for one in seen]).mean()), spread or 1.0
