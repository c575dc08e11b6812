"""A network of transformers as a plain function from pixels to class scores."""

from __future__ import annotations

import torch
from torch import nn


class Logits(nn.Module):
    """N × channels × H × W → N × classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """See the class."""
        scores: torch.Tensor = self.network(pixel_values=pixels).logits
        return scores
