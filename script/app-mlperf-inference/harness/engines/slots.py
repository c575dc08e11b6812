"""A key/value cache in which every sequence has a row and a length of its own.

Sequences come and go between two steps without touching the others: a new one is copied into the first free row, a
finished one is replaced by the last. So the rows in use are always 0 to n-1, and a step reads them without a gather.
It takes the place of a transformers `Cache` in a forward call with one token per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_STEP = 256  # positions by which rows grow at least


class SlotCache:
    """Keys and values of up to `slots` sequences, per layer one tensor (slots, heads, positions, head size) each."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._layers: list[list[Any]] = []
        self._rows: Any = None
        self._positions: Any = None
        self._width = 0
        self.lengths: list[int] = []

    def admit(self, layers: Sequence[tuple[Any, Any]], lengths: Sequence[int]) -> None:
        """Copy prefilled sequences into free rows; row b of each tensor counts up to position `lengths[b]`."""
        start = len(self.lengths)
        self._reserve(layers, max(lengths))
        for stored, given in zip(self._layers, layers, strict=True):
            for target, source in zip(stored, given, strict=True):
                for row, length in enumerate(lengths):
                    target[start + row, :, :length] = source[row, :, :length]
        self.lengths += lengths

    def release(self, row: int) -> None:
        """Free a row; the last row in use moves into it."""
        last = len(self.lengths) - 1
        if row != last:
            length = self.lengths[last]
            for stored in self._layers:
                for tensor in stored:
                    tensor[row, :, :length] = tensor[last, :, :length]
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()

    def begin_step(self, device: Any) -> tuple[Any, Any]:
        """Make place for one more token per row.

        Returns:
            Positions of the new tokens (n, 1), and which positions each row may look at (n, 1, 1, width) as booleans.
        """
        import torch

        self._width = max(self.lengths) + 1
        self._reserve([], self._width)
        self._positions = torch.tensor(self.lengths, device=device)
        self._rows = torch.arange(len(self.lengths), device=device)
        visible = torch.arange(self._width, device=device) <= self._positions[:, None]
        return self._positions[:, None], visible[:, None, None, :]

    def end_step(self) -> None:
        """Count the tokens that the step stored."""
        self.lengths = [length + 1 for length in self.lengths]

    def update(self, keys: Any, values: Any, layer_idx: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Store one token per row, (n, heads, 1, head size), and return views of all that is stored of these rows."""
        views = []
        for tensor, new in zip(self._layers[layer_idx], (keys, values), strict=True):
            tensor[self._rows, :, self._positions] = new[:, :, 0]
            views.append(tensor[: len(self.lengths), :, : self._width])
        return views[0], views[1]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Positions in use by the longest row."""
        return max(self.lengths, default=0)

    def _reserve(self, like: Sequence[tuple[Any, Any]], positions: int) -> None:
        """Rows of at least `positions`; grown by half, so that a long generation copies its cache a few times only."""
        if not self._layers:
            self._layers = [[self._zeros(tensor, positions) for tensor in pair] for pair in like]
        held = self._layers[0][0].shape[2]
        if positions <= held:
            return
        for stored in self._layers:
            for index, tensor in enumerate(stored):
                stored[index] = self._zeros(tensor, max(positions, held + held // 2))
                stored[index][:, :, :held] = tensor

    def _zeros(self, like: Any, positions: int) -> Any:
        # zeros, since a masked position still counts 0 times its value, and memory may hold what is not a number
        rounded = -(-positions // _STEP) * _STEP
        return like.new_zeros((self._slots, like.shape[1], rounded, like.shape[3]))
