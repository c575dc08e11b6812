"""DLRM-DCNv2 (Naumov et al. 2019, Wang et al. 2021) in plain torch; imported only when a model is built."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommendation.shapes import DlrmShape


class LowRankCross(nn.Module):
    """x ← x₀ · (W (V x) + b) + x, once per layer."""

    def __init__(self, width: int, layers: int, rank: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Linear(width, rank, bias=False) for _ in range(layers))
        self.up = nn.ModuleList(nn.Linear(rank, width) for _ in range(layers))

    def forward(self, first: Tensor) -> Tensor:
        """(n, width) → (n, width)."""
        value = first
        for down, up in zip(self.down, self.up, strict=True):
            value = first * up(down(value)) + value
        return value


class DlrmDcn(nn.Module):
    """Summed embeddings and an MLP of the dense features, crossed, then an MLP."""

    def __init__(self, shape: DlrmShape) -> None:
        super().__init__()
        self.hots = list(shape.hots)
        self.tables = nn.ParameterList(nn.Parameter(torch.empty(rows, shape.embedding)) for rows in shape.rows)
        self.bottom = _mlp((shape.dense, *shape.bottom))
        self.cross = LowRankCross(shape.crossed, shape.cross_layers, shape.cross_rank)
        self.top = _mlp((shape.crossed, *shape.top))

    def randomize(self) -> DlrmDcn:
        """Embeddings of the size that trained ones have; the other layers keep torch's own start."""
        for table in self.tables:
            nn.init.uniform_(table, -0.05, 0.05)
        return self

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Float (n, 13) and int (n, ids of all features side by side) → click probabilities (n,)."""
        vectors = [functional.relu(self.bottom(dense))]
        for table, ids in zip(self.tables, torch.split(sparse, self.hots, dim=1), strict=True):
            vectors.append(functional.embedding_bag(ids.contiguous(), table, mode="sum"))
        scores: Tensor = self.top(self.cross(torch.cat(vectors, dim=1)))
        return torch.sigmoid(scores.squeeze(1))


def _mlp(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them; none after the last."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
