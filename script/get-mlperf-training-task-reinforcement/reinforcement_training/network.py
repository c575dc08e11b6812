"""The network of AlphaGo Zero (Silver et al. 2017): residual blocks, a policy head and a value head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reinforcement_training.go import PLANES


class Block(nn.Module):
    """Two convolutions and what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Of equal shape."""
        return torch.relu(x + self.inner(x))


class PolicyValue(nn.Module):
    """``board`` points a side; the last of the moves is to pass."""

    def __init__(self, board: int, channels: int, blocks: int) -> None:
        super().__init__()
        points = board * board
        self.trunk = nn.Sequential(
            nn.Conv2d(PLANES, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *(Block(channels) for _ in range(blocks)),
        )
        self.policy = nn.Sequential(
            nn.Conv2d(channels, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2 * points, points + 1)
        )
        self.value = nn.Sequential(
            nn.Conv2d(channels, 1, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(points, channels),
            nn.ReLU(),
            nn.Linear(channels, 1),
        )

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Float (n, planes, board, board) → scores of moves (n, points + 1), outcome for the mover (n,), -1 … 1."""
        features = self.trunk(planes)
        return self.policy(features), torch.tanh(self.value(features)).squeeze(1)
