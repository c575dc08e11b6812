"""RNN-T's task: recordings of at most 15 seconds, answered with their characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.arrays import Array
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require, require_outputs
from speech_recognition import characters, metric
from speech_recognition.clips import RATE, Clips

LONGEST = 15 * RATE


class CharacterTranscription(TaskDefaults):
    """Waveforms to characters; a response has one int64 per character, as in the reference implementation."""

    response_dtype = characters.DTYPE
    response_width = None

    def __init__(self, config: RunConfig) -> None:
        self._clips, self._target = Clips(config), config.quality_target
        info = self._clips.info
        require(info.longest <= LONGEST, f"{config.dataset} has a clip of {info.longest} samples, at most {LONGEST}")
        self.count = info.count
        self.columns = (Column("audio", (info.longest,), "int16", "trim"), Column("length", (), "int64"))
        self.sample_bytes = 2 * info.longest + 8

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        """Samples (n, longest), int16, with silence at the end, and lengths (n,)."""
        import numpy as np

        lengths = np.array(self._clips.lengths(indices), dtype=np.int64)
        audio = np.zeros((len(indices), self._clips.info.longest), dtype=np.int16)
        for row, index in enumerate(indices):
            audio[row, : lengths[row]] = self._clips.samples(index)
        return audio, lengths

    def lengths(self, indices: list[int]) -> list[int]:
        """Samples of each clip."""
        return self._clips.lengths(indices)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """The characters of each clip without the padding; HarnessError when the model returned something else."""
        require_outputs(outputs, len(indices))
        if len(outputs) != 2:
            raise HarnessError("raised", f"the model returned {len(outputs)} outputs, expected characters and lengths")
        texts, lengths = outputs
        return [text[:length] for text, length in zip(texts, lengths.tolist(), strict=True)]

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and the hours of speech."""
        return self._clips.facts()

    def quality(self, log_dir: Path) -> Quality:
        """Word accuracy in percent, words as they are."""
        payloads = log.read_complete(log_dir, self.count)
        hypotheses = [characters.decode(payload, characters.RNNT) for payload in payloads]
        references = [characters.known(text.lower().strip(), characters.RNNT) for text in self._clips.transcripts]
        found = metric.word_errors(references, hypotheses)
        return metric.report(log_dir, found, self.count, self._target, plain=found)
