"""What a data set of your own is: a class with two methods, in a file of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Samples = tuple["torch.Tensor", "torch.Tensor"]


class Dataset:
    """Pairs of tensors (inputs, labels) of equal length.

    Inputs are pictures, N × channels × height × width, as bytes (0…255) or as floats that are ready for the network;
    or N × features. Labels are the numbers of the classes from 0, int64: N of them, or for segmentation one per pixel,
    N × height × width. ``folder`` is the configuration's ``dataset.path``.
    """

    #: how many classes there are
    classes: int

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def train(self) -> Samples:
        """What is learnt from."""
        raise NotImplementedError

    def test(self) -> Samples:
        """What is judged by; none of it may be in `train`."""
        raise NotImplementedError

    def augment(self, inputs: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """A training batch, changed at random; all randomness comes from ``draw``, so that a training repeats."""
        return inputs
