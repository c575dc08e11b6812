"""SchNet of torch_geometric, with the graph that the data bring and with forces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch_geometric.nn.models import SchNet


@dataclass(frozen=True)
class Size:
    """SchNet's own arguments; ``cutoff`` in Å. The defaults are the small network."""

    hidden_channels: int = 64
    num_filters: int = 64
    num_interactions: int = 3
    num_gaussians: int = 32
    cutoff: float = 6.0


#: that of Open Catalyst for S2EF
OFFICIAL = Size(hidden_channels=1024, num_filters=256, num_interactions=5, num_gaussians=200)


class _Given(nn.Module):
    """In the place of SchNet's search for neighbours: hands on the graph that was put in."""

    def __init__(self) -> None:
        super().__init__()
        self.graph: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, positions: torch.Tensor, owner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Edges (2, e) and their lengths (e,) in Å."""
        assert self.graph is not None
        return self.graph


class ForceField(nn.Module):
    """Energies (batch,) and forces (a, 3) of a batch, both in units of the training set's spread.

    Forces are the gradient of the energy, so they are taken in evaluation too, where the harness has switched
    gradients off; and all is computed in float32 whatever the precision of the training: a slope of rounded numbers
    is no force.
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self._given = _Given()
        self.body = SchNet(**asdict(size), interaction_graph=self._given)

    def forward(self, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """``batch`` as `molecule_files.join` makes it."""
        with torch.enable_grad(), torch.autocast(batch["positions"].device.type, enabled=False):
            positions = batch["positions"].detach().requires_grad_()
            source, target = batch["edges"]
            lengths = (positions[source] - positions[target] + batch["shifts"]).norm(dim=1)
            self._given.graph = batch["edges"], lengths
            energies = self.body(batch["numbers"], positions, batch["owner"]).squeeze(-1)
            slope = torch.autograd.grad(energies.sum(), positions, create_graph=self.training)[0]
        self._given.graph = None
        return (energies if self.training else energies.detach()), -slope
