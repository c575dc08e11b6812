"""DLRM (Naumov et al. 2019, arXiv 1906.00091), all pairs of vectors multiplied with each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def perceptron(widths: Sequence[int], last: type[nn.Module] | None) -> nn.Sequential:
    """Linear layers with ReLU between them, and ``last`` (or nothing) after the last one."""
    parts: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        parts += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*parts[:-1], *([last()] if last else []))


class Dlrm(nn.Module):
    """``rows`` of each table; ``bottom`` and ``top`` widths after the inputs. Bottom's last is that of embeddings."""

    pairs: Tensor

    def __init__(self, rows: Sequence[int], dense: int, bottom: Sequence[int], top: Sequence[int]) -> None:
        super().__init__()
        width, vectors = bottom[-1], len(rows) + 1
        self.tables = nn.ModuleList(_table(count, width) for count in rows)
        self.bottom = perceptron([dense, *bottom], nn.ReLU)
        self.top = perceptron([width + vectors * (vectors - 1) // 2, *top, 1], None)
        self.register_buffer("pairs", torch.triu_indices(vectors, vectors, 1), persistent=False)

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Float (n, dense) and int64 (n, tables) → scores (n,), before the sigmoid."""
        bottom = self.bottom(dense)
        vectors = torch.stack([bottom, *(table(sparse[:, k]) for k, table in enumerate(self.tables))], dim=1)
        products = (vectors @ vectors.mT)[:, self.pairs[0], self.pairs[1]]
        score: Tensor = self.top(torch.cat([bottom, products], dim=1)).squeeze(1)
        return score


def _table(rows: int, width: int) -> nn.Embedding:
    table = nn.Embedding(rows, width)
    # the reference draws from ± 1/√rows; small tables would then start too large for a short training
    bound = min(0.05, float(rows) ** -0.5)
    nn.init.uniform_(table.weight, -bound, bound)
    return table
