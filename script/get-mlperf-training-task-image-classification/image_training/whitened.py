"""A small residual network that learns fast from few images: its first layer is computed from the data, not learnt.

Whitening first layer, pooling between two convolutions and the scaled, bias-free head follow K. Jordan's airbench
(arXiv 2404.00498); the widths, and the shortcut around the second convolution of a block, are ours.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

#: images that the first layer is best computed from
SAMPLE = 2000


@dataclass(frozen=True)
class Shape:
    """``widths``: channels of the three blocks; ``scale`` multiplies the answers; ``shortcut`` makes it residual."""

    channels: int
    classes: int
    widths: tuple[int, int, int] = (32, 64, 64)
    scale: float = 0.25
    shortcut: bool = True
    batch_norm_momentum: float = 0.1


class Block(nn.Module):
    """Convolution, pooling by two, convolution; N × in × H × W → N × out × H/2 × W/2."""

    def __init__(self, inputs: int, outputs: int, shape: Shape) -> None:
        super().__init__()
        self.shortcut = shape.shortcut
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, momentum=shape.batch_norm_momentum)
        self.second_norm = nn.BatchNorm2d(outputs, momentum=shape.batch_norm_momentum)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        x = functional.gelu(self.norm(functional.max_pool2d(self.first(x), 2)))
        made = functional.gelu(self.second_norm(self.second(x)))
        return made + x if self.shortcut else made


class Whitened(nn.Module):
    """N × channels × H × W, normalised, H and W at least 15 → N × classes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        filters = 2 * 4 * shape.channels
        self.whiten = nn.Conv2d(shape.channels, filters, 2)
        widths = (filters, *shape.widths)
        self.blocks = nn.Sequential(*(Block(one, two, shape) for one, two in itertools.pairwise(widths)))
        self.head = nn.Linear(shape.widths[-1], shape.classes, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        x = self.blocks(functional.gelu(self.whiten(x)))
        scores: torch.Tensor = self.head(x.amax((2, 3))) * self.shape.scale
        return scores

    def whiten_like(self, pictures: torch.Tensor, epsilon: float = 5e-3) -> None:
        """Set the first layer to the whitening filters of ``pictures`` (normalised) and their negatives, and fix it."""
        patches = functional.unfold(pictures, 2, stride=2).transpose(1, 2).flatten(0, 1)
        patches = patches - patches.mean(0)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / torch.sqrt(values + epsilon)).T.reshape(-1, self.shape.channels, 2, 2)
        self.whiten.weight.data = torch.cat([filters, -filters])
        self.whiten.weight.requires_grad = False
