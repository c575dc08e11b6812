"""Sets that need no download: scikit-learn's real digits, and pictures with something to learn in CIFAR-10's shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from image_training.images import Images, ImageSet

if TYPE_CHECKING:
    import torch

DIGITS_TRAIN = 1437  # four fifths of 1,797


def digits() -> ImageSet:
    """1,797 handwritten digits of 8 × 8 pixels and 17 grey levels (UCI, in scikit-learn), four fifths to train."""
    import torch
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = (torch.tensor(found.images) * (255 / 16)).round().to(torch.uint8).unsqueeze(1)
    labels = torch.tensor(found.target, dtype=torch.int64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:DIGITS_TRAIN], order[DIGITS_TRAIN:]
    return ImageSet(Images(pixels[train], labels[train]), Images(pixels[test], labels[test]), 10)


def stripes(train: int = 4000, test: int = 1000, seed: int = 0) -> ImageSet:
    """Noisy stripes of 32 × 32 × 3: five directions times two tints make ten classes; phase and width are random."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    return ImageSet(_stripes(train, draw), _stripes(test, draw), 10)


def _stripes(count: int, draw: torch.Generator) -> Images:
    import torch

    labels = torch.randint(0, 10, (count,), generator=draw)
    angle = (labels % 5) * (math.pi / 5) + 0.15 * torch.randn(count, generator=draw)
    frequency = 0.5 + 0.1 * torch.randn(count, generator=draw)
    phase = 2 * math.pi * torch.rand(count, generator=draw)
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    along = columns * angle.cos().view(-1, 1, 1) + rows * angle.sin().view(-1, 1, 1)
    wave = torch.sin(frequency.view(-1, 1, 1) * along + phase.view(-1, 1, 1))
    tint = torch.where((labels < 5)[:, None], torch.tensor([1.0, 0.6, 0.3]), torch.tensor([0.3, 0.6, 1.0]))
    values = tint[:, :, None, None] * wave[:, None] + 0.6 * torch.randn(count, 3, 32, 32, generator=draw)
    return Images((values * 48 + 128).clamp(0, 255).to(torch.uint8), labels)
