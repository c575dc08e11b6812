"""Greedy decoding of a transducer, many recordings at once."""

from __future__ import annotations

import torch
from torch import Tensor

from speech_training.alphabet import BLANK
from speech_training.rnnt_network import Rnnt

#: characters at one step, after which the next step begins even without a blank
MOST_PER_STEP = 8


def greedy(model: Rnnt, features: Tensor, frames: Tensor) -> list[list[int]]:
    """The most probable character at every point of the way through each recording."""
    encoded, steps = model.encode(features, frames), model.steps(frames)
    last = torch.full((len(frames), 1), BLANK, device=features.device)
    read, (hidden, cell) = model.predict(last)
    found: list[list[int]] = [[] for _ in range(len(frames))]
    for step in range(encoded.shape[1]):
        active = step < steps
        for _ in range(MOST_PER_STEP):
            best = model.join(encoded[:, step], read[:, 0]).argmax(-1)
            active = active & (best != BLANK)
            if not active.any():
                break
            rows = active.nonzero().squeeze(1)
            for row in rows.tolist():
                found[row].append(int(best[row]))
            new_read, (new_hidden, new_cell) = model.predict(best[rows, None], (hidden[:, rows], cell[:, rows]))
            read = read.index_copy(0, rows, new_read)
            hidden, cell = hidden.index_copy(1, rows, new_hidden), cell.index_copy(1, rows, new_cell)
    return found
