"""Texts as numbers: LibriSpeech's 28 characters, and 0 for nothing (the blank)."""

from __future__ import annotations

from collections.abc import Iterable

from speech_training.corpus import Utterance
from trainer.errors import TrainingError

CHARACTERS = " 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = 0
SIZE = 1 + len(CHARACTERS)
_NUMBERS = {character: number for number, character in enumerate(CHARACTERS, 1)}


def encoded(text: str) -> list[int]:
    """Numbers of a text that has been checked."""
    return [_NUMBERS[character] for character in text]


def decoded(numbers: Iterable[int]) -> str:
    """The text of numbers; blanks are nothing."""
    return "".join(CHARACTERS[number - 1] for number in numbers if number != BLANK)


def checked(utterances: list[Utterance]) -> list[Utterance]:
    """The same utterances; TrainingError where one has a character that LibriSpeech does not have."""
    for utterance in utterances:
        strange = sorted(set(utterance.text) - set(CHARACTERS))
        if strange:
            cause = f"the transcript of {utterance.audio} has {strange[0]!r}: letters, spaces and ' are known"
            raise TrainingError("data", cause, "write numbers as words")
    return utterances
