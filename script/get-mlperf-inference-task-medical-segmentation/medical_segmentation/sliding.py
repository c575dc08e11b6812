"""A network of fixed input size, moved over a volume of any size."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from harness.errors import HarnessError

SIDE, STRIDE = 128, 64
_SIGMA = 0.125 * SIDE
_AT_ONCE_ON_GPU = 4


def importance() -> Tensor:
    """How much each voxel of a window counts: the geometric mean of three bell curves, 1 in the middle, float32."""
    place = torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2
    bell = torch.exp(-(place**2) / (2 * _SIGMA**2))
    product = bell[:, None, None] * bell[None, :, None] * bell[None, None, :]
    kernel = product ** (1 / 3)
    return (kernel / kernel.max()).float()


def windows(shape: tuple[int, int, int]) -> Iterator[tuple[slice, slice, slice]]:
    """Windows that overlap by half; what is left at the ends of a side is not looked at (the data are cut to fit)."""
    starts = [range(0, length - SIDE + 1, STRIDE) for length in shape]
    for d in starts[0]:
        for h in starts[1]:
            for w in starts[2]:
                yield slice(d, d + SIDE), slice(h, h + SIDE), slice(w, w + SIDE)


class SlidingWindow(nn.Module):
    """Sums the windows' scores by importance and takes the best class of every voxel, as the reference does.

    The reference divides the sums by those of the importance before it compares classes. They are the same for all
    classes of a voxel, so that the division cannot change which is the best.
    """

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network, self._classes = network, classes
        self.register_buffer("_importance", importance(), persistent=False)

    def forward(self, volume: Tensor) -> Tensor:
        """One scan (1, 1, D, H, W), sides multiples of 64 and at least 128 → labels (1, D, H, W), uint8."""
        shape = (volume.shape[2], volume.shape[3], volume.shape[4])
        weight = self.get_buffer("_importance").float()
        scores = torch.zeros((self._classes, *shape), dtype=torch.float32, device=volume.device)
        places = list(windows(shape))
        at_once = _AT_ONCE_ON_GPU if volume.is_cuda else 1
        for first in range(0, len(places), at_once):
            group = places[first : first + at_once]
            answers = self.network(torch.cat([volume[:, :, d, h, w] for d, h, w in group]))
            for (d, h, w), answer in zip(group, answers, strict=True):
                scores[:, d, h, w] += answer.float() * weight
        require_numbers(scores)
        return scores.argmax(dim=0, keepdim=True).to(torch.uint8)


def require_numbers(scores: Tensor) -> None:
    """Raise HarnessError of kind `nan` for scores that are not finite: labels made of them would look like any."""
    if not bool(torch.isfinite(scores).all()):
        hint = "check the weights; with --precision=fp16 try bf16 or fp32"
        raise HarnessError("nan", "the model's scores are not finite numbers", hint)
