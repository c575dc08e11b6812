"""From samples to what the networks hear: spectrograms, made with torch alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WINDOW_S, STEP_S = 0.02, 0.01
SLOWEST, FASTEST = 0.85, 1.15


@dataclass(frozen=True)
class Spectrogram:
    """``bands`` mel bands, or all frequencies as they are for 0; every frequency's mean is 0 and its deviation 1."""

    rate: int
    bands: int = 0

    @property
    def width(self) -> int:
        """Values per frame."""
        return self.bands or self._window // 2 + 1

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """Float32 (n,) → (frames, width), a frame every STEP_S."""
        import torch

        window, step = self._window, int(self.rate * STEP_S)
        short = max(0, window - len(samples))
        padded = torch.nn.functional.pad(samples, (0, short))
        shape = torch.hann_window(window)
        spectrum = torch.stft(padded, window, step, window=shape, return_complex=True, pad_mode="constant").abs()
        mel = (self._filters.T @ spectrum.square()).clamp(min=1e-9).log() if self.bands else spectrum.log1p()
        logs = mel.T
        return (logs - logs.mean(0)) / (logs.std(0, correction=0) + 1e-3)

    @property
    def _window(self) -> int:
        return int(self.rate * WINDOW_S)

    @cached_property
    def _filters(self) -> torch.Tensor:
        import torch
        from transformers.audio_utils import mel_filter_bank

        bins = self._window // 2 + 1
        return torch.from_numpy(mel_filter_bank(bins, self.bands, 0.0, self.rate / 2, self.rate)).float()


def masked(features: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """SpecAugment (Park et al. 2019): some bands and some stretches of time set to the mean; (frames, width).

    MLPerf's rules want 2 bands of at most 20 among 80, and 10 stretches of at most 3 % of the time.
    """
    features = features.clone()
    frames, width = features.shape
    for dimension, size, count, widest in ((1, width, 2, width // 4), (0, frames, 10, int(frames * 0.03))):
        for _ in range(count):
            length = _draw(widest + 1, draw)
            start = _draw(size - length + 1, draw)
            features.narrow(dimension, start, length).zero_()
    return features


def at_another_speed(samples: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Played at 0.85 to 1.15 of its speed, which changes the pitch too; float32 (n,)."""
    import torch

    speed = SLOWEST + (FASTEST - SLOWEST) * float(torch.rand(1, generator=draw))
    wanted = max(1, round(len(samples) / speed))
    played = torch.nn.functional.interpolate(samples[None, None], size=wanted, mode="linear", align_corners=True)
    return played[0, 0]


def _draw(below: int, draw: torch.Generator) -> int:
    import torch

    return int(torch.randint(below, (1,), generator=draw))
