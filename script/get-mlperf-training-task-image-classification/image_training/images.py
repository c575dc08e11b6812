"""Pictures and their classes as every data set of this family hands them out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Images:
    """``pixels`` are bytes, N × channels × height × width; ``labels`` are N classes from 0, as int64."""

    pixels: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each channel, of pixels between 0 and 1; each 1 × channels × 1 × 1."""
        import torch

        counts = torch.stack([torch.bincount(one.flatten(), minlength=256) for one in self.pixels.unbind(1)]).double()
        levels = torch.arange(256, dtype=torch.float64) / 255
        share = counts / counts.sum(1, keepdim=True)
        mean = (share * levels).sum(1)
        spread = (share * levels**2).sum(1) - mean**2
        # a set of one grey level has no spread to divide by
        return tuple(one.float().view(1, -1, 1, 1) for one in (mean, spread.sqrt().clamp(min=1e-3)))  # type: ignore[return-value]


@dataclass(frozen=True)
class ImageSet:
    """A data set: what is learnt from, what is judged by, and how many classes there are."""

    train: Images
    test: Images
    classes: int


def checked(images: Images, classes: int, source: Path) -> Images:
    """The same images; TrainingError of kind `data` for an empty set or a label that is no class."""
    if not len(images):
        raise TrainingError("data", f"{source} has no images", f"ls -l {source}")
    low, high = int(images.labels.min()), int(images.labels.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise TrainingError(
            "data", f"{source} has the label {wrong}; its classes are 0 to {classes - 1}", f"ls {source.parent}"
        )
    return images
