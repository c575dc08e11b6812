"""Whisper's task: clips of at most 30 seconds, answered with their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Prompt, TaskDefaults, require
from speech_recognition import characters, metric
from speech_recognition.clips import RATE, Clips
from speech_recognition.vocabulary import Vocabulary

WINDOW = 30 * RATE  # samples that the encoder takes; shorter clips are padded with silence (inference rules, Whisper)
MAX_NEW_TOKENS = 200  # of the reference implementation


class Transcription(TaskDefaults):
    """English speech to text; a response is the text's characters, as in the reference implementation.

    The prompt's features are the clip's 16-bit samples. Spectrograms are made by the engine, inside the measured time:
    the rules hand a waveform to the system under test.
    """

    generates = True
    token_dtype = characters.DTYPE

    def __init__(self, config: RunConfig) -> None:
        self._clips, self._target = Clips(config), config.quality_target
        info = self._clips.info
        require(info.longest <= WINDOW, f"{self._clips.folder} has a clip of {info.longest} samples, at most {WINDOW}")
        self._vocabulary = Vocabulary.of(config.model)
        self.count = info.count
        self.sample_bytes = 2 * info.longest

    def prompt(self, index: int) -> Prompt:
        """Transcribe in English, without times."""
        samples, asked = self._clips.samples(index), self._vocabulary.prompt
        return Prompt(tokens=asked, features=samples, max_new_tokens=MAX_NEW_TOKENS, min_new_tokens=0)

    def lengths(self, indices: list[int]) -> list[int]:
        """Samples of speech: the encoder works as long on each, but longer clips have more to be said."""
        return self._clips.lengths(indices)

    def encode_tokens(self, tokens: list[int], index: int) -> Array:
        """Lower-case characters of the text, as the reference encodes them."""
        return characters.encode(self._vocabulary.text(tokens).lower().strip(), characters.WHISPER)

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and the hours of speech."""
        return self._clips.facts()

    def quality(self, log_dir: Path) -> Quality:
        """Word accuracy in percent, compounds written apart or together being equal."""
        normalise = metric.normaliser(self._clips.folder / "spelling.json")
        payloads = log.read_complete(log_dir, self.count)
        hypotheses = [normalise(characters.decode(one, characters.WHISPER)) for one in payloads]
        references = [normalise(characters.known(text, characters.WHISPER)) for text in self._clips.transcripts]
        lenient = metric.lenient_word_errors(references, hypotheses)
        plain = metric.word_errors(references, hypotheses)
        return metric.report(log_dir, lenient, self.count, self._target, plain)
