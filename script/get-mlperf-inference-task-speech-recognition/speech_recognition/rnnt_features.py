"""Features of MLPerf's RNN-T: normalised log-mel spectrograms of 80 bins, three frames side by side."""

from __future__ import annotations

import math
from typing import Any

from speech_recognition.spectrogram import RATE, mel_filters

FFT, WINDOW, HOP = 512, RATE // 50, RATE // 100  # 20 ms every 10 ms
MEL_BINS, SPLICED = 80, 3
FEATURES = MEL_BINS * SPLICED
_PRE_EMPHASIS, _DITHER = 0.97, 1e-5


def frames_of(samples: int) -> int:
    """Feature frames of a clip: one for each 30 ms or part of them."""
    return math.ceil(math.ceil(samples / HOP) / SPLICED)


class RnntSpectrogram:
    """One clip at a time: padding a batch before the transform would change what stands at a shorter clip's end."""

    def __init__(self, device: Any) -> None:
        import torch

        self._window = torch.hann_window(WINDOW, periodic=False, device=device)
        self._filters = mel_filters(FFT, MEL_BINS).to(device)

    def __call__(self, samples: Any) -> Any:
        """int16 samples (n,) → float32 (frames, 240). Each feature has mean 0 and deviation 1 over the clip."""
        import torch

        wave = samples.float() / 32768.0
        wave = torch.cat((wave[:1], wave[1:] - _PRE_EMPHASIS * wave[:-1]))
        spectrum = torch.stft(wave, FFT, HOP, WINDOW, window=self._window, return_complex=True)
        # The reference adds the power that its training's dither had, instead of noise.
        mel = torch.log(self._filters @ (spectrum.abs().square() + _DITHER**2) + 1e-20)
        spliced = torch.nn.functional.pad(mel, (0, SPLICED - 1)).unfold(1, SPLICED, SPLICED)
        features = spliced.permute(1, 2, 0).reshape(-1, FEATURES)[: frames_of(len(samples))]
        return (features - features.mean(0)) / (features.std(0) + _DITHER)
