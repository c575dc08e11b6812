"""DeepLabv3+ from transformers, for maps of 16 channels."""

from __future__ import annotations

import torch
from torch import nn
from transformers import MobileNetV2Config, MobileNetV2ForSemanticSegmentation

from hpc_training.climate_files import CHANNELS, CLASSES


class DeepLab(nn.Module):
    """Logits of the size of the map; the network's own are eight times coarser."""

    def __init__(self) -> None:
        super().__init__()
        config = MobileNetV2Config(num_channels=CHANNELS, output_stride=8)
        config.num_labels = CLASSES
        self.body = MobileNetV2ForSemanticSegmentation(config)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, 16, height, width) to (batch, 3, height, width)."""
        coarse: torch.Tensor = self.body(maps).logits
        return nn.functional.interpolate(coarse, maps.shape[-2:], mode="bilinear", align_corners=False)
