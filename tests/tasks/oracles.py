"""Networks that answer from their inputs alone: whoever mixes samples up, or cuts too much off, scores below 100 %."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class SpanOracle(nn.Module):
    """The answer is the paragraph's token that the question ends with."""

    def __init__(self) -> None:
        super().__init__()
        self.height = nn.Parameter(torch.tensor(9.0))

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        last = types.argmax(dim=1, keepdim=True) - 2
        found = (ids == ids.gather(1, last)) & (types == 1) & (mask == 1)
        logits: Tensor = found * self.height
        return torch.stack([logits, logits], dim=-1)


class PairOracle(nn.Module):
    """The first dense feature is the label."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.tensor(1.0))

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        return dense[:, 0] * self.one


def spans(config: Any) -> SpanOracle:
    return SpanOracle()


def pairs(config: Any) -> PairOracle:
    return PairOracle()
