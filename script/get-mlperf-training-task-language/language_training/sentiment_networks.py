"""Two networks of MLPerf v0.5's sentiment benchmark, at any width. Padding never counts."""

from __future__ import annotations

import torch
from torch import nn

WINDOWS = (3, 4)
CLASSES = 2
NOWHERE = -1e4  # below any activation, and finite in fp16


def small_embedding(words: int, width: int) -> nn.Embedding:
    """Of standard deviation 0.1: torch's own 1 drowns what a few thousand sentences can teach."""
    embedding = nn.Embedding(words, width, padding_idx=0)
    with torch.no_grad():
        embedding.weight.mul_(0.1)
    return embedding


class Convolutional(nn.Module):
    """Two convolutions over the words, windows of three and four, each with its maximum over the text."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embedding = small_embedding(words, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, window, padding="same") for window in WINDOWS)
        self.dropout = nn.Dropout(0.5)
        self.classes = nn.Linear(width * len(WINDOWS), CLASSES)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Scores (n, 2) of int64 ``ids`` and ``mask`` (n, length)."""
        embedded = self.dropout(self.embedding(ids)).mT
        padding = (mask == 0)[:, None]
        found = [torch.relu(one(embedded)).masked_fill(padding, NOWHERE).amax(2) for one in self.convolutions]
        scores: torch.Tensor = self.classes(self.dropout(torch.cat(found, 1)))
        return scores


class Recurrent(nn.Module):
    """Two stacked LSTM layers in both directions, with the maximum over the text."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embedding = small_embedding(words, width)
        self.layers = nn.LSTM(width, width, num_layers=2, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.classes = nn.Linear(2 * width, CLASSES)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Scores (n, 2) of int64 ``ids`` and ``mask`` (n, length)."""
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(self.embedding(ids)), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.layers(packed)[0], batch_first=True, total_length=ids.shape[1]
        )
        top = states.masked_fill((mask == 0)[..., None], NOWHERE).amax(1)
        scores: torch.Tensor = self.classes(self.dropout(top))
        return scores


NETWORKS: dict[str, type[nn.Module]] = {"conv": Convolutional, "lstm": Recurrent}
