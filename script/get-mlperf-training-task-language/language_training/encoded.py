"""Texts of different lengths as batches: each is padded to its own longest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class EncodedTexts:
    """Token numbers with labels. A batch: ``ids`` and ``mask`` (n, longest) int64, mask 1 for tokens; ``labels``."""

    def __init__(self, rows: Sequence[Sequence[int]], labels: Sequence[int], padding: int = 0) -> None:
        self._rows, self._labels, self._padding = rows, labels, padding

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """Nothing is drawn."""
        import torch

        chosen = [self._rows[index] for index in indices]
        longest = max(map(len, chosen))
        padded = [[*row, *([self._padding] * (longest - len(row)))] for row in chosen]
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in chosen]
        labels = [self._labels[index] for index in indices]
        return {"ids": torch.tensor(padded), "mask": torch.tensor(mask), "labels": torch.tensor(labels)}
