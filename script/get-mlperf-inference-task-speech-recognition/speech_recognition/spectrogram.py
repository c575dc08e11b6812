"""Log-mel spectrograms, computed by torch on the model's own device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.arrays import Array

RATE = 16000
WINDOW_S = 30


class WhisperSpectrogram:
    """What `WhisperFeatureExtractor` computes: 25 ms windows every 10 ms, log10 of mel power, scaled to about -1…1."""

    size, hop = 400, 160

    def __init__(self, mel_bins: int, device: Any) -> None:
        import torch

        self._window = torch.hann_window(self.size, device=device)
        self._filters = mel_filters(self.size, mel_bins).to(device)
        self._device = device

    def __call__(self, clips: Sequence[Array]) -> Any:
        """Clips of int16 samples, at most 30 s each → float32 (n, mel_bins, 3000), padded with silence."""
        import torch

        waves = torch.zeros((len(clips), WINDOW_S * RATE), device=self._device)
        for row, clip in enumerate(clips):
            waves[row, : len(clip)] = torch.from_numpy(clip).to(self._device)
        waves /= 32768.0
        spectrum = torch.stft(waves, self.size, self.hop, window=self._window, return_complex=True)
        power = spectrum[..., :-1].abs().square()
        mel = torch.clamp(self._filters @ power, min=1e-10).log10()
        loudest = mel.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(mel, loudest - 8.0) + 4.0) / 4.0


def mel_filters(fft_size: int, mel_bins: int) -> Any:
    """Slaney's mel filters up to 8 kHz, float32 tensor (mel_bins, fft_size // 2 + 1)."""
    import torch
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(fft_size // 2 + 1, mel_bins, 0.0, RATE / 2, RATE, norm="slaney", mel_scale="slaney")
    return torch.from_numpy(filters.T.copy()).float()
