"""The recurrent transducer of MLPerf: an encoder that hears, a prediction network that reads, and a joint of both."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speech_training.alphabet import BLANK

STACKED = 2  # steps of the lower encoder in one of the upper
State = tuple[Tensor, Tensor]


def steps(frames: Tensor, splice: int) -> Tensor:
    """How many steps the encoder makes of so many frames."""
    return -(-_spliced(frames, splice) // STACKED)


def _spliced(frames: Tensor, splice: int) -> Tensor:
    return -(-frames // splice)


class Rnnt(nn.Module):
    """``splice`` frames are one step of the lower encoder; ``hidden`` is its width, ``predicted`` the prediction's."""

    def __init__(
        self, width: int, outputs: int, splice: int, hidden: int, layers: tuple[int, int], predicted: int, joint: int
    ) -> None:
        super().__init__()
        self.splice = splice
        self.lower = nn.LSTM(width * splice, hidden, layers[0], batch_first=True)
        self.upper = nn.LSTM(hidden * STACKED, hidden, layers[1], batch_first=True)
        self.embedding = nn.Embedding(outputs, predicted, padding_idx=BLANK)
        self.prediction = nn.LSTM(predicted, predicted, batch_first=True)
        self.heard = nn.Linear(hidden, joint)
        self.read = nn.Linear(predicted, joint)
        self.scores = nn.Sequential(nn.ReLU(), nn.Linear(joint, outputs))

    def steps(self, frames: Tensor) -> Tensor:
        """How many steps the encoder makes of so many frames."""
        return steps(frames, self.splice)

    def encode(self, features: Tensor, frames: Tensor) -> Tensor:
        """Float (n, frames, width) and int64 (n,) → (n, steps, joint)."""
        x = _through(self.lower, _stacked(features, self.splice), _spliced(frames, self.splice))
        return self.heard(_through(self.upper, _stacked(x, STACKED), self.steps(frames)))  # type: ignore[no-any-return]

    def predict(self, texts: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Int64 (n, length) → (n, length, joint), and the state after it."""
        x, state = self.prediction(self.embedding(texts), state)
        return self.read(x), state

    def join(self, heard: Tensor, read: Tensor) -> Tensor:
        """Two of (…, joint) that broadcast → scores (…, outputs)."""
        return self.scores(heard + read)  # type: ignore[no-any-return]

    def forward(self, features: Tensor, frames: Tensor, texts: Tensor) -> Tensor:
        """Scores of every output at every step after every beginning of the text: (n, steps, length + 1, outputs)."""
        begun = torch.cat([torch.full_like(texts[:, :1], BLANK), texts], dim=1)
        read, _ = self.predict(begun)
        return self.join(self.encode(features, frames)[:, :, None], read[:, None])


def _stacked(x: Tensor, count: int) -> Tensor:
    """(n, steps, width) → (n, steps / count rounded up, width * count)."""
    missing = -x.shape[1] % count
    x = nn.functional.pad(x, (0, 0, 0, missing))
    return x.reshape(len(x), -1, count * x.shape[2])


def _through(layers: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(layers(packed)[0], batch_first=True, total_length=x.shape[1])[0]
