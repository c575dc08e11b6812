"""Open Catalyst 2020, structure to energy and forces: how is each atom of a molecule on a surface pulled?

Source of data layout, loss, metric and recipe: MLPerf HPC, open_catalyst (Chanussot et al. 2021, arXiv 2010.09990). Its
network is DimeNet++; this is SchNet (Schütt et al. 2017), one of the networks that Open Catalyst itself compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpc_training.files import Stored, data_folder
from hpc_training.molecule_files import Database, Structure, structures
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Evidence, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

WANTED = "train/*.lmdb and validation/*.lmdb of Open Catalyst's S2EF, with edges"
#: structures that tell the spread of energies and forces
SURVEYED = 512


class OpenCatalyst(Task):
    """Options: network (small or schnet-oc20), energy_weight, force_weight."""

    metric = Metric("force_mae", target=0.20, higher_is_better=False)
    recipe = Recipe(
        batch_size=16,
        epochs=40,
        eval_batch_size=80,
        optimizer="adamw",
        learning_rate=3e-3,
        schedule="cosine",
        clip_norm=10.0,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.energy_weight = _weight(setup, "energy_weight", 0.02)
        self.force_weight = _weight(setup, "force_weight", 1.0)
        self.mean, self.spread = 0.0, 1.0

    def splits(self) -> tuple[Split, Split]:
        """All files of the folders train and validation."""
        folder = data_folder(self.setup, WANTED)
        train = structures(folder / "train")
        if len(train):
            self.mean, self.spread = survey(train)
        return train, structures(folder / "validation")

    def model(self) -> torch.nn.Module:
        """From a batch to energies and forces, in units of the spread."""
        from hpc_training.schnet import OFFICIAL, ForceField, Size

        name = self.setup.option("network", "small")
        sizes = {"small": Size(), "schnet-oc20": OFFICIAL}
        if name not in sizes:
            raise TrainingError("config", f"there is no network {name!r} for Open Catalyst", "network: small, schnet-oc20")
        return ForceField(sizes[name])

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The mean absolute error of the forces on free atoms, and of the energies."""
        energies, forces = model(batch)
        wrong = (forces - batch["forces"] / self.spread)[batch["free"]].abs().mean()
        off = (energies - (batch["energies"] - self.mean) / self.spread).abs().mean()
        total: torch.Tensor = self.force_weight * wrong + self.energy_weight * off
        return total

    def judge(self, model: torch.nn.Module, batch: Batch) -> Evidence:
        """Sum and number of the absolute errors of the forces on free atoms, in eV/Å."""
        _, forces = model(batch)
        errors = (forces.detach() * self.spread - batch["forces"])[batch["free"]].abs()
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


def _weight(setup: Setup, name: str, default: float) -> float:
    text = setup.option(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 0:
        raise TrainingError("config", f"option {name} is {text!r}, not a number from 0", f"{name}: {default}")
    return value
