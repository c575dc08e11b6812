"""What BERT learns from: pairs of text with 15 % of their tokens hidden (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

HIDDEN = 0.15  # of the tokens; 8 of 10 become [MASK], one another piece, one stays
SPECIAL_PER_PAIR = 3  # [CLS] a [SEP] b [SEP]


@dataclass(frozen=True)
class Pieces:
    """Numbers of the special pieces, and how many pieces there are. The special ones come first in a vocabulary."""

    start: int
    separator: int
    mask: int
    count: int


class Pairs:
    """Rows of tokens as pairs: the two halves of a row, or with ``strangers`` in every second case halves of two rows.

    A batch is a dictionary of int64 tensors: ``ids`` and ``segments`` (n, length), ``positions`` and ``labels``
    (n, hidden) of the tokens to find, ``follows`` (n,), 0 where the second half is the first one's own.
    """

    def __init__(self, rows: torch.Tensor, pieces: Pieces, strangers: bool = True) -> None:
        self._rows, self._pieces = rows, pieces
        self._strangers = 0.5 if strangers else 0.0
        self._cut = rows.shape[1] // 2
        self.hidden = max(1, round((rows.shape[1] + SPECIAL_PER_PAIR) * HIDDEN))

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """New pairs and new hidden tokens at every call, as ``draw`` decides."""
        import torch

        chosen, rows = torch.as_tensor(indices), len(self._rows)
        own = self._rows[chosen]
        strangers = torch.rand(len(own), generator=draw) < self._strangers
        others = self._rows[(chosen + torch.randint(1, max(rows, 2), chosen.shape, generator=draw)) % rows]
        first, second = own[:, : self._cut], torch.where(strangers[:, None], others, own)[:, self._cut :]
        ids = self._framed(first, second)
        segments = torch.zeros_like(ids)
        segments[:, self._cut + 2 :] = 1
        positions = self._choose(ids, draw)
        labels = ids.gather(1, positions)
        ids = ids.scatter(1, positions, self._hide(labels, draw))
        return {
            "ids": ids,
            "segments": segments,
            "positions": positions,
            "labels": labels,
            "follows": strangers.long(),
        }

    def _framed(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        import torch

        start, separator = (torch.full((len(first), 1), one) for one in (self._pieces.start, self._pieces.separator))
        return torch.cat([start, first, separator, second, separator], 1)

    def _choose(self, ids: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        import torch

        order = torch.rand(ids.shape, generator=draw)
        order[(ids == self._pieces.start) | (ids == self._pieces.separator)] = 2  # never among the first
        return order.argsort(1)[:, : self.hidden].sort(1).values

    def _hide(self, labels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        import torch

        chance = torch.rand(labels.shape, generator=draw)
        others = torch.randint(self._pieces.mask + 1, self._pieces.count, labels.shape, generator=draw)
        hidden = torch.where(chance < 0.9, others, labels)
        return hidden.masked_fill(chance < 0.8, self._pieces.mask)
