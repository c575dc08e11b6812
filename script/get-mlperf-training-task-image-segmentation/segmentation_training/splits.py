"""Random windows to train on, whole pictures to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segmentation_training.pictures import Picture

if TYPE_CHECKING:
    import torch


class Windows:
    """Square windows of ``side`` pixels at random places, turned and mirrored at random.

    One pass shows ``passes`` times as many windows as would tile the pictures. A picture smaller than a window is
    mirrored at its edges until it fills one.
    """

    def __init__(self, pictures: Sequence[Picture], side: int, passes: int) -> None:
        self._pictures = [_at_least(one, side) for one in pictures]
        self._side = side
        self._owner = [
            number
            for number, one in enumerate(self._pictures)
            for _ in range(passes * max(1, one.shape[1] * one.shape[2] // side**2))
        ]

    def __len__(self) -> int:
        return len(self._owner)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """`images`: N × channels × side × side; `masks`: N × 1 × side × side, int64."""
        import torch

        windows = torch.stack([self._window(self._pictures[self._owner[one]], draw) for one in indices])
        return {"images": windows[:, :-1].contiguous(), "masks": windows[:, -1:].long()}

    def _window(self, stacked: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        import torch

        _, height, width = stacked.shape
        top, left, turns, mirror = (
            int(torch.randint(0, limit, (1,), generator=draw))
            for limit in (height - self._side + 1, width - self._side + 1, 4, 2)
        )
        window = stacked[:, top : top + self._side, left : left + self._side].rot90(turns, (1, 2))
        return window.flip(2) if mirror else window


class Whole:
    """Pictures as they are; they may differ in size, so a batch is a list."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, list[torch.Tensor]]:
        """`images`: channels × H × W each; `masks`: 1 × H × W each."""
        chosen = [self._pictures[one] for one in indices]
        return {"images": [one.image for one in chosen], "masks": [one.mask for one in chosen]}


def _at_least(picture: Picture, side: int) -> torch.Tensor:
    """Image and mask as one tensor, at least ``side`` high and wide."""
    import torch

    stacked = torch.cat([picture.image, picture.mask.float()])
    for dimension in (1, 2):
        while stacked.shape[dimension] < side:
            stacked = torch.cat([stacked, stacked.flip(dimension)], dimension)
    return stacked
