"""Random shifts and mirror images. They are drawn with a batch, on the CPU; the pixels are moved where they are used.

So a batch travels to a GPU as bytes, and is the same for any number of loader processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_training.images import Images

if TYPE_CHECKING:
    import torch

    Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Augmentation:
    """Shifts by up to ``shift`` pixels (the edge is mirrored), and mirror images where left and right mean nothing."""

    shift: int = 2
    mirror: bool = True


class Augmented:
    """Training images; each image is shown mirrored in every other epoch (K. Jordan, arXiv 2404.00498, section 3.6)."""

    def __init__(self, images: Images, augmentation: Augmentation, seed: int) -> None:
        import torch

        self.images, self.augmentation, self.epoch = images, augmentation, 0
        self._first = torch.rand(len(images), generator=torch.Generator().manual_seed(seed)) < 0.5

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> Batch:
        """`pixels` and `labels` of the images, how far to `shift` each (rows, columns), and which to `mirror`."""
        import torch

        rows, reach = torch.as_tensor(indices), self.augmentation.shift
        made = {"pixels": self.images.pixels[rows], "labels": self.images.labels[rows]}
        if reach:
            made["shift"] = torch.randint(0, 2 * reach + 1, (len(rows), 2), generator=draw)
        if self.augmentation.mirror:
            made["mirror"] = self._first[rows] ^ bool(self.epoch % 2)
        return made


def augment(batch: Batch, augmentation: Augmentation) -> torch.Tensor:
    """The batch's pixels, shifted and mirrored as it says; a batch that says nothing stays as it is."""
    pixels = batch["pixels"]
    if "shift" in batch:
        pixels = _shifted(pixels, batch["shift"], augmentation.shift)
    if "mirror" in batch:
        pixels = pixels.where(~batch["mirror"].view(-1, 1, 1, 1), pixels.flip(3))
    return pixels


def _shifted(pixels: torch.Tensor, shift: torch.Tensor, reach: int) -> torch.Tensor:
    """One gather: for every image its own window of rows and columns, reflected at the edge."""
    import torch

    count, _, height, width = pixels.shape
    rows = _reflected(torch.arange(height, device=pixels.device) + shift[:, :1] - reach, height)
    columns = _reflected(torch.arange(width, device=pixels.device) + shift[:, 1:] - reach, width)
    which = torch.arange(count, device=pixels.device).view(-1, 1, 1)
    return pixels[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(index: torch.Tensor, length: int) -> torch.Tensor:
    index = index.abs()
    return (length - 1) - (length - 1 - index).abs()
