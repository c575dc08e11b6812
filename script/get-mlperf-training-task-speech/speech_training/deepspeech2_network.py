"""DeepSpeech2 (Amodei et al. 2015, arXiv 1512.02595): convolutions over time and frequency, then recurrent layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

#: (kernel, stride) over frequency and time of the two convolutions
FIRST = ((41, 11), (2, 2))
SECOND = ((21, 11), (2, 1))


def steps(frames: Tensor) -> Tensor:
    """How many steps the network makes of so many frames."""
    return (frames - 1) // FIRST[1][1] // SECOND[1][1] + 1


class Recurrent(nn.Module):
    """Batch normalisation over all steps that are there, then a GRU in both directions; the directions are added."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.normalised = nn.BatchNorm1d(width)
        self.gru = nn.GRU(width, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(n, steps, width) → (n, steps, hidden); lengths on the CPU."""
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed = packed._replace(data=self.normalised(packed.data))
        both = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])[0]
        forward, backward = both.chunk(2, dim=-1)
        return forward + backward


class DeepSpeech2(nn.Module):
    """``width`` values per frame → ``outputs`` scores per step."""

    def __init__(self, width: int, outputs: int, channels: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.first = _convolution(1, channels, *FIRST)
        self.second = _convolution(channels, channels, *SECOND)
        bands = (width - 1) // FIRST[1][0] + 1
        bands = (bands - 1) // SECOND[1][0] + 1
        widths = [channels * bands] + [hidden] * (layers - 1)
        self.recurrent = nn.ModuleList(Recurrent(width, hidden) for width in widths)
        self.scores = nn.Linear(hidden, outputs)

    def forward(self, features: Tensor, frames: Tensor) -> Tensor:
        """Float (n, frames, width) and int64 (n,) → log probabilities (n, steps, outputs)."""
        lengths = steps(frames)
        x = features.mT.unsqueeze(1)
        for convolution in (self.first, self.second):
            x = convolution(x)
            # silence after the end must stay silence, else a recording's answer depends on its neighbours
            there = torch.arange(x.shape[-1], device=x.device) < lengths[:, None]
            x = x * there[:, None, None]
        x = x.flatten(1, 2).mT
        for layer in self.recurrent:
            x = layer(x, lengths.cpu())
        return self.scores(x).log_softmax(-1)  # type: ignore[no-any-return]


def _convolution(inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int]) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.Hardtanh(0, 20)
    )
