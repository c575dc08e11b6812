"""MONAI's U-Net for pictures of any size: what it halves too often is padded before and cut off after."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets.unet import UNet
from torch import nn
from torch.nn import functional


class AnySize(nn.Module):
    """N × channels × H × W → N × classes × H × W, for any H and W."""

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        height, width = x.shape[2:]
        padded = functional.pad(x, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        made: torch.Tensor = self.network(padded)
        return made[:, :, :height, :width]


def unet(channels: int, classes: int, widths: Sequence[int] = (16, 32, 64)) -> nn.Module:
    """A U-Net with one residual unit per level and ``widths`` channels; its shortest side is halved between levels."""
    strides = (2,) * (len(widths) - 1)
    network = UNet(2, channels, classes, tuple(widths), strides, num_res_units=1)
    return AnySize(network, 2 ** len(strides))
