"""CosmoFlow's network: convolutions that halve the cube and double the channels, then three dense layers."""

from __future__ import annotations

import torch
from torch import nn

from hpc_training.density_files import PARAMETERS, TIMES
from hpc_training.sizes import CubeNetwork

DENSE = (128, 64)
LEAK = 0.3  # that of Keras, which the reference is written in
#: parameters lie in -1 … 1; the reference lets the answer reach a little beyond, so that tanh can get there
REACH = 1.2


class Scaled(nn.Module):
    """tanh, stretched to -1.2 … 1.2."""

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        """Any shape to the same."""
        return REACH * torch.tanh(raw)


def network(side: int, size: CubeNetwork) -> nn.Sequential:
    """(batch, 4, side, side, side) to (batch, 4)."""
    parts: list[nn.Module] = []
    width = TIMES
    for layer in range(size.layers):
        wider = size.filters * 2**layer
        parts += [nn.Conv3d(width, wider, 3, padding=1), nn.LeakyReLU(LEAK), nn.MaxPool3d(2)]
        width = wider
    width *= (side // 2**size.layers) ** 3
    parts.append(nn.Flatten())
    for units in DENSE:
        parts += [nn.Linear(width, units), nn.LeakyReLU(LEAK), nn.Dropout(size.dropout)]
        width = units
    return nn.Sequential(*parts, nn.Linear(width, PARAMETERS), Scaled())
