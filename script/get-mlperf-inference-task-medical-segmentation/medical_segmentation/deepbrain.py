"""deepbrain's 3D U-Net: which voxels of a head scan are brain. 171,465 parameters, 128 x 128 x 128 voxels.

Three levels of 8, 16 and 32 features, max pooling on the way down, transposed convolutions on the way up.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from harness.arrays import Array
from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights
from medical_segmentation.graphdef import float_constants
from medical_segmentation.sliding import require_numbers

SIDE = 128
_LEVELS = (8, 16, 32)


class UpSampling(nn.Module):
    """A transposed convolution that doubles each side; TensorFlow's "same" padding drops the last voxels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(inputs, outputs, 3, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, d, h, w) → (n, outputs, 2d, 2h, 2w)."""
        d, h, w = (2 * length for length in x.shape[2:])
        grown: Tensor = self.conv(x)[:, :, :d, :h, :w]
        return grown


class DeepBrain(nn.Module):
    """The network; its ten convolutions and three transposed ones are numbered as in the frozen graph."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = _LEVELS
        widths = ((1, a), (a, a), (a, b), (b, b), (b, c), (c, c), (2 * c, c), (2 * b, b), (2 * a, a))
        self.conv = nn.ModuleList(nn.Conv3d(i, o, 3, padding=1) for i, o in widths)
        self.conv.append(nn.Conv3d(a, 1, 1))
        self.up = nn.ModuleList(UpSampling(i, o) for i, o in ((c, c), (c, b), (b, a)))

    def forward(self, volume: Tensor) -> Tensor:
        """Scans (n, 1, 128, 128, 128), brightest voxel 1 → labels (n, 128, 128, 128), uint8, 1 is brain."""
        skips = []
        x = volume
        for level in range(3):
            x = self._pair(x, 2 * level)
            skips.append(x)
            x = nn.functional.max_pool3d(x, 2)
        for level, skip in enumerate(reversed(skips)):
            x = torch.cat((self.up[level](x), skip), dim=1)
            x = torch.relu(self.conv[6 + level](x))
        # The logit's sign is the probability's side of one half.
        scores: Tensor = self.conv[9](x)[:, 0]
        require_numbers(scores)
        return (scores > 0).to(torch.uint8)

    def _pair(self, x: Tensor, first: int) -> Tensor:
        y: Tensor = torch.relu(self.conv[first + 1](torch.relu(self.conv[first](x))))
        return y


def build_deepbrain(model: ModelConfig) -> DeepBrain:
    """The network with the frozen graph's weights, or with seeded random ones.

    Raises:
        HarnessError: kind `weights` when the file is missing, cut off, or holds another graph.
    """
    module = DeepBrain()
    if model.weights is not None:
        path = Path(model.weights)
        weights.load_into(module, _state(path), path)
    return module


def _state(path: Path) -> dict[str, Tensor]:
    try:
        constants = float_constants(path)
    except OSError as error:
        hint = f"ls -l {path.parent}"
        raise HarnessError("weights", f"weights file {path} cannot be read: {error.strerror}", hint) from error
    except ValueError as error:
        raise HarnessError("weights", f"weights file {path} cannot be read: {error}", "fetch it again") from error
    names = {_numbered("conv3d", k): f"conv.{k}" for k in range(10)}
    names |= {_numbered("conv3d_transpose", k): f"up.{k}.conv" for k in range(3)}
    state = {}
    for source, target in names.items():
        for kind, name in (("kernel", "weight"), ("bias", "bias")):
            if (array := constants.get(f"{source}/{kind}")) is not None:
                state[f"{target}.{name}"] = _as_torch(array)
    return state


def _numbered(name: str, k: int) -> str:
    return f"{name}_{k}" if k else name


def _as_torch(array: Array) -> Tensor:
    """TensorFlow keeps kernels as (depth, height, width, in, out); in a transposed one in and out change places."""
    axes = (4, 3, 0, 1, 2) if array.ndim == 5 else (0,)
    return torch.from_numpy(array.transpose(axes).copy())
