"""Word error rate, and the line that submission checkers look for.

RNN-T compares the words as they are. Whisper first brings both sides into one form of writing (numbers, contractions,
American spelling: `EnglishTextNormalizer`, Radford et al. 2022, appendix C) and counts compounds that were written
apart or together as equal. The edit distances are jiwer's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.accuracy import log
from harness.errors import HarnessError
from harness.outcome import Metric, Quality

Normaliser = Callable[[str], str]
_LONGEST_COMPOUND = 3  # words that may be written as one, as in the reference


@dataclass(frozen=True)
class WordErrors:
    """Substituted, inserted and deleted words, and how many the references have."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Errors per word of the references; 0.02 is two in a hundred."""
        return self.errors / self.words


def normaliser(spelling: Path) -> Normaliser:
    """Whisper's normaliser of English text; `spelling` is JSON of British spellings and their American ones.

    Raises:
        HarnessError: kind `dataset`, when the file cannot be read.
    """
    import msgspec
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    try:
        spellings = msgspec.json.decode(spelling.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        hint = 'prepare the data set again: cmr "get preprocessed dataset librispeech"'
        raise HarnessError("dataset", f"{spelling} has no spellings: {error}", hint) from error
    normalise: Normaliser = EnglishTextNormalizer(spellings)  # type: ignore[no-untyped-call]
    return normalise


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> WordErrors:
    """Plain edit distance over words, summed over the texts."""
    import jiwer

    words = [len(text.split()) for text in references]
    spoken = [k for k, count in enumerate(words) if count]  # jiwer takes no empty reference
    silent = [k for k, count in enumerate(words) if not count]
    inserted = sum(len(hypotheses[k].split()) for k in silent)
    if not spoken:
        return WordErrors(inserted, 0)
    found = jiwer.process_words([references[k] for k in spoken], [hypotheses[k] for k in spoken])
    return WordErrors(found.substitutions + found.insertions + found.deletions + inserted, sum(words))


def with_compounds_joined(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both word lists with compounds joined on the side that writes them apart.

    The lists are walked side by side, as the reference script does: where the next words differ, up to three of one
    side are tried as one word of the other; if none fit, both sides move on by one word.
    """
    left, right = list(reference), list(hypothesis)
    joined_left: list[str] = []
    joined_right: list[str] = []
    i = j = 0
    while i < len(left) and j < len(right):
        taken_left, taken_right = _step(left[i : i + _LONGEST_COMPOUND], right[j : j + _LONGEST_COMPOUND])
        joined_left.append("".join(left[i : i + taken_left]))
        joined_right.append("".join(right[j : j + taken_right]))
        i, j = i + taken_left, j + taken_right
    return joined_left + left[i:], joined_right + right[j:]


def _step(left: list[str], right: list[str]) -> tuple[int, int]:
    for count in range(1, _LONGEST_COMPOUND + 1):
        if "".join(left[:count]) == right[0] and count <= len(left):
            return count, 1
        if "".join(right[:count]) == left[0] and count <= len(right):
            return 1, count
    return 1, 1


def lenient_word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> WordErrors:
    """Errors after joining compounds; the words are counted as the references write them."""
    pairs = [with_compounds_joined(r.split(), h.split()) for r, h in zip(references, hypotheses, strict=True)]
    found = word_errors([" ".join(pair[0]) for pair in pairs], [" ".join(pair[1]) for pair in pairs])
    return WordErrors(found.errors, sum(len(text.split()) for text in references))


def report(log_dir: Path, found: WordErrors, count: int, target: float | None, plain: WordErrors) -> Quality:
    """Write accuracy.txt and return the word accuracy in percent; `plain` is the error rate without any leniency."""
    if not found.words:
        raise HarnessError("accuracy", "the references have no words: there is no word error rate")
    wer, accuracy = 100 * found.rate, 100 * (1 - found.rate)
    (log_dir / log.FILE_NAME).write_text(f"Word Error Rate: {wer}%, accuracy={accuracy}%\n")
    return Quality(
        metric="word accuracy",
        value=accuracy,
        unit="%",
        total=count,
        target=target,
        passed=None if target is None else accuracy >= target,
        more=(
            Metric(name="word error rate", value=wer, unit="%"),
            Metric(name="word error rate without joined compounds", value=100 * plain.rate, unit="%"),
        ),
    )
