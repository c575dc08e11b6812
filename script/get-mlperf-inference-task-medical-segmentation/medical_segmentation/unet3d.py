"""MLPerf's 3D U-Net for KiTS19 (after Çiçek et al. 2016 and nnU-Net): background, kidney and tumour. 31 M parameters.

Six levels of 32 to 320 features, strided convolutions on the way down, transposed ones on the way up, instance norms.
The names of the parameters are those of the official checkpoint (zenodo 5597155).
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights
from medical_segmentation.sliding import SlidingWindow

LEVELS = (32, 64, 128, 256, 320)
CLASSES = 3
_HINT = "fetch the weights again and compare their checksum"


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.InstanceNorm3d(outputs, affine=True), nn.ReLU())


class Block(nn.Module):
    """Two convolutions, the first of which may halve the sides."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, outputs, stride)
        self.conv2 = _convolution(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, d, h, w) → (n, outputs, d / stride, …)."""
        y: Tensor = self.conv2(self.conv1(x))
        return y


class UpBlock(Block):
    """Doubles the sides and joins what the way down had on this level."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(2 * outputs, outputs)
        self.upsample_conv = nn.Sequential(nn.ConvTranspose3d(inputs, outputs, 2, stride=2))

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        """(n, inputs, d, h, w) and (n, outputs, 2d, 2h, 2w) → like the second."""
        return self(torch.cat((self.upsample_conv(x), skip), dim=1))  # type: ignore[no-any-return]


class Output(nn.Module):
    """Scores of the classes."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv3d(inputs, classes, 1))


class Unet3D(nn.Module):
    """The network for windows of 128 voxels a side."""

    def __init__(self, levels: tuple[int, ...] = LEVELS, classes: int = CLASSES) -> None:
        super().__init__()
        first, last = levels[0], levels[-1]
        pairs = list(pairwise(levels))
        self.input_block = Block(1, first)
        self.downsample = nn.ModuleList(Block(i, o, stride=2) for i, o in pairs)
        self.bottleneck = Block(last, last, stride=2)
        self.upsample = nn.ModuleList([UpBlock(last, last), *(UpBlock(o, i) for i, o in reversed(pairs))])
        self.output = Output(first, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 128, 128, 128) → (n, classes, 128, 128, 128)."""
        skips = [self.input_block(x)]
        for down in self.downsample:
            skips.append(down(skips[-1]))
        y = self.bottleneck(skips[-1])
        for up, skip in zip(self.upsample, reversed(skips), strict=True):
            y = up.join(y, skip)  # type: ignore[operator]
        scores: Tensor = self.output.conv(y)
        return scores


def build_unet3d(model: ModelConfig) -> SlidingWindow:
    """The network with the official checkpoint (.pth), as the official TorchScript (.ptc), or with random weights.

    Raises:
        HarnessError: kind `weights` when the file is missing, cut off, or holds another network.
    """
    if model.weights is None:
        return SlidingWindow(Unet3D(), CLASSES)
    path = Path(model.weights)
    if not path.is_file():
        raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
    network = _scripted(path) if path.suffix in (".ptc", ".pt") else _from_checkpoint(path)
    return SlidingWindow(network, CLASSES)


def _from_checkpoint(path: Path) -> nn.Module:
    network = Unet3D()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["best_model_state_dict"]
    except Exception as error:  # torch, zipfile and pickle each raise their own
        raise HarnessError("weights", f"weights file {path} is no checkpoint: {_reason(error)}", _HINT) from error
    weights.load_into(network, state, path)
    return network


def _scripted(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the official file has no newer form
            return torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except Exception as error:
        raise HarnessError("weights", f"weights file {path} is no TorchScript: {_reason(error)}", _HINT) from error


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
