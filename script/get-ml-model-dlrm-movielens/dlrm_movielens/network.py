"""The network; imports torch, so it is imported late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

DIMENSION = 16  # of an embedding
BIASED = 2  # the first columns, user and film, have a bias per value


class Dlrm(nn.Module):
    """Dense features through an MLP, one embedding per sparse column, their dot products through another MLP."""

    pairs: Tensor

    def __init__(self, rows: Sequence[int], dense: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(count, DIMENSION) for count in rows)
        self.biases = nn.ModuleList(nn.Embedding(count, 1) for count in rows[:BIASED])
        self.bottom = nn.Sequential(nn.Linear(dense, 64), nn.ReLU(), nn.Linear(64, DIMENSION), nn.ReLU())
        vectors = len(rows) + 1
        products = vectors * (vectors - 1) // 2
        self.top = nn.Sequential(
            nn.Linear(DIMENSION + products, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )
        self.register_buffer("pairs", torch.triu_indices(vectors, vectors, 1), persistent=False)

    def start_small(self) -> Dlrm:
        """Initial values from which a few epochs suffice."""
        for table in self.embeddings:
            nn.init.normal_(table.weight, std=0.02)  # type: ignore[arg-type]
        for bias in self.biases:
            nn.init.zeros_(bias.weight)  # type: ignore[arg-type]
        return self

    def logits(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Float (n, features) and int (n, columns) → (n,)."""
        bottom = self.bottom(dense)
        vectors = torch.stack([bottom, *(table(sparse[:, k]) for k, table in enumerate(self.embeddings))], dim=1)
        products = (vectors @ vectors.transpose(1, 2))[:, self.pairs[0], self.pairs[1]]
        score: Tensor = self.top(torch.cat([bottom, products], dim=1)).squeeze(1)
        for column, bias in enumerate(self.biases):
            score = score + bias(sparse[:, column]).squeeze(1)
        return score

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Probability that the user likes the film, (n,)."""
        return torch.sigmoid(self.logits(dense, sparse))

    @staticmethod
    def shaped_like(state: Mapping[str, Any]) -> Dlrm:
        """A network of the sizes in a state dict; raises KeyError when it has none of a Dlrm's parameters."""
        tables = [name for name in state if name.startswith("embeddings.")]
        if not tables:
            raise KeyError("embeddings.0.weight")
        rows = [state[f"embeddings.{number}.weight"].shape[0] for number in range(len(tables))]
        return Dlrm(rows, state["bottom.0.weight"].shape[1])
