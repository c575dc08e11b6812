"""Greedy decoding of a transducer, a batch at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MOST_PER_FRAME = 30  # characters that one frame may bring, as in the reference


class _State:
    """Every clip's place: its frame, its characters in that frame, and the prediction network's memory."""

    def __init__(self, count: int, prediction: Any, like: Tensor) -> None:
        lstm = prediction.dec_rnn.lstm
        self.frame = torch.zeros(count, dtype=torch.long, device=like.device)
        self.in_frame = torch.zeros_like(self.frame)
        zeros = torch.zeros((1, count, lstm.input_size), dtype=like.dtype, device=like.device)
        expected, self.memory = lstm(zeros)  # before the first character there is nothing: zeros
        self.expected = expected[0]

    def emit(self, prediction: Any, rows: Tensor, tokens: Tensor) -> None:
        """Feed the new characters of `rows` to the prediction network."""
        h, c = self.memory
        out, (new_h, new_c) = prediction.dec_rnn.lstm(prediction.embed(tokens)[None], (h[:, rows], c[:, rows]))
        h[:, rows], c[:, rows], self.expected[rows] = new_h, new_c, out[0]

    def move(self, rows: Tensor, found: Tensor) -> None:
        """Go to the next frame after a blank, or when the frame has brought all it may."""
        self.in_frame[rows] += found
        on = ~found | (self.in_frame[rows] >= MOST_PER_FRAME)
        self.frame[rows] += on
        self.in_frame[rows[on]] = 0


def greedy(encoded: Tensor, frames: Tensor, prediction: Any, joint: Any, *, blank: int) -> tuple[Tensor, Tensor]:
    """Take the likeliest character or blank at each place, each clip at its own frame.

    Args:
        encoded: (frames, n, width), the encoder's output, padded at the end.
        frames: (n,), real frames of each clip.
        prediction, joint: the transducer's other networks.
        blank: the joint's class that ends a frame.

    Returns:
        Characters (n, longest), int64, padded with zeros, and how many each clip has, (n,).
    """
    count = encoded.shape[1]
    state = _State(count, prediction, encoded)
    texts: list[list[int]] = [[] for _ in range(count)]
    rows = torch.nonzero(frames > 0).flatten()
    while len(rows):
        tokens = joint(encoded[state.frame[rows], rows], state.expected[rows]).argmax(dim=-1)
        found = tokens != blank
        if bool(found.any()):
            speaking = rows[found]
            state.emit(prediction, speaking, tokens[found])
            for row, token in zip(speaking.tolist(), tokens[found].tolist(), strict=True):
                texts[row].append(token)
        state.move(rows, found)
        rows = rows[state.frame[rows] < frames[rows]]
    lengths = torch.tensor([len(text) for text in texts], device=encoded.device)
    padded = [torch.tensor(text, dtype=torch.int64, device=encoded.device) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(padded, batch_first=True), lengths
