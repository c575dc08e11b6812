"""The folder of clips that get-preprocessed-dataset-librispeech writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.tasks.base import require, require_tier
from harness.tasks.files import read_array, read_json

RATE = 16000
_HINT = 'prepare the data set again: cmr "get preprocessed dataset librispeech"'


class ClipsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: `sample_rate` in Hz, `longest` clip in samples."""

    schema: int
    name: str
    tier: Tier
    count: int
    sample_rate: int
    longest: int


class Clips:
    """Mono speech as 16-bit samples at 16 kHz, with what is said in it; the files are checked against each other.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or unreadable, or counts, lengths or types differ.
    """

    def __init__(self, config: RunConfig) -> None:
        import numpy as np

        self.folder = folder = Path(config.dataset)
        self.info = read_json(folder / "dataset.json", ClipsInfo, _HINT)
        require_tier(config, self.info.tier, folder)
        self._audio = _read_array(folder / "audio.npy", "int16")
        self._offsets = np.asarray(_read_array(folder / "offsets.npy", "int64"))
        self.transcripts: list[str] = read_json(folder / "transcripts.json", list[str], _HINT)
        self._check()

    def _check(self) -> None:
        info, offsets, place = self.info, self._offsets, self.folder
        claim = f"dataset.json says {info.count} clips"
        require(info.count > 0, f"{place}/dataset.json says count {info.count}", _HINT)
        require(info.sample_rate == RATE, f"{place} has {info.sample_rate} Hz, expected {RATE} Hz", _HINT)
        require(offsets.shape == (info.count + 1,), f"{place}/offsets.npy has {offsets.size - 1} clips, {claim}", _HINT)
        found = len(self.transcripts)
        require(found == info.count, f"{place}/transcripts.json has {found} entries, {claim}", _HINT)
        whole = offsets[0] == 0 and offsets[-1] == self._audio.size
        require(bool(whole), f"{place}/audio.npy has {self._audio.size} samples, offsets.npy {offsets[-1]}", _HINT)
        lengths = offsets[1:] - offsets[:-1]
        fits = lengths.min() > 0 and lengths.max() <= info.longest
        require(bool(fits), f"{place}/offsets.npy has clips of {lengths.min()} to {lengths.max()} samples", _HINT)

    def samples(self, index: int) -> Array:
        """Clip `index` as int16, a copy in memory."""
        import numpy as np

        return np.array(self._audio[self._offsets[index] : self._offsets[index + 1]])

    def lengths(self, indices: list[int]) -> list[int]:
        """Samples of each clip."""
        return [int(self._offsets[index + 1] - self._offsets[index]) for index in indices]

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and the hours of speech."""
        facts: dict[str, Any] = msgspec.to_builtins(self.info)
        return {**facts, "folder": str(self.folder), "hours": round(self._audio.size / RATE / 3600, 4)}


def _read_array(path: Path, dtype: str) -> Array:
    array = read_array(path, _HINT)
    require(array.dtype == dtype, f"{path} holds {array.dtype}, expected {dtype}", _HINT)
    return array
