"""NeuMF (He et al. 2017, arXiv 1708.05031): matrix factorisation and a perceptron, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class NeuMF(nn.Module):
    """``factors`` wide embeddings for the product; ``layers`` of the perceptron, whose first is its input's width."""

    def __init__(self, users: int, items: int, factors: int, layers: Sequence[int]) -> None:
        super().__init__()
        half = layers[0] // 2
        self.product_user, self.product_item = nn.Embedding(users, factors), nn.Embedding(items, factors)
        self.user, self.item = nn.Embedding(users, half), nn.Embedding(items, half)
        widths = list(itertools.pairwise(layers))
        self.perceptron = nn.Sequential(*(part for a, b in widths for part in (nn.Linear(a, b), nn.ReLU())))
        self.score = nn.Linear(factors + layers[-1], 1)
        self._start()

    def _start(self) -> None:
        """As in the paper's code: small embeddings, Glorot's for the perceptron, LeCun's for the score."""
        for part in self.modules():
            if isinstance(part, nn.Embedding):
                nn.init.normal_(part.weight, std=0.01)
            elif isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Int64 users and items of equal shape → float scores of that shape, before the sigmoid."""
        product = self.product_user(users) * self.product_item(items)
        deep = self.perceptron(torch.cat([self.user(users), self.item(items)], dim=-1))
        score: Tensor = self.score(torch.cat([product, deep], dim=-1)).squeeze(-1)
        return score
