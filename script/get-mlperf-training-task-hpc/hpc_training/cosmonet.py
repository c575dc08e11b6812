"""CosmoFlow's network: convolutions that halve the cube and double the channels, then three dense layers."""

from __future__ import annotations

import torch
from torch import nn

from hpc_training.density_files import PARAMETERS, TIMES

DENSE = (128, 64)
LEAK = 0.3  # that of Keras, which the reference is written in
#: parameters lie in -1 … 1; the reference lets the answer reach a little beyond, so that tanh can get there
REACH = 1.2


class Scaled(nn.Module):
    """tanh, stretched to -1.2 … 1.2."""

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        """Any shape to the same."""
        return REACH * torch.tanh(raw)


def network(side: int, layers: int, filters: int, dropout: float) -> nn.Sequential:
    """(batch, 4, side, side, side) to (batch, 4). The official one: side 128, 5 layers, 32 filters, dropout 0.5."""
    parts: list[nn.Module] = []
    width = TIMES
    for layer in range(layers):
        wider = filters * 2**layer
        parts += [nn.Conv3d(width, wider, 3, padding=1), nn.LeakyReLU(LEAK), nn.MaxPool3d(2)]
        width = wider
    width *= (side // 2**layers) ** 3
    parts.append(nn.Flatten())
    for units in DENSE:
        parts += [nn.Linear(width, units), nn.LeakyReLU(LEAK), nn.Dropout(dropout)]
        width = units
    return nn.Sequential(*parts, nn.Linear(width, PARAMETERS), Scaled())
