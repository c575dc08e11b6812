"""From logits to the text of an answer, with the rules of MLPerf's accuracy-squad.py (after Devlin et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.arrays import Array
from question_answering.features import Features

BEST = 20  # starts and ends that are tried
LONGEST = 30  # tokens of an answer
NO_ANSWER = "empty"


class AskedQuestion(msgspec.Struct, frozen=True):
    """One question of `text.json`; `paragraph` numbers a paragraph there."""

    id: str
    paragraph: int
    answers: tuple[str, ...]


class Texts(msgspec.Struct, frozen=True):
    """`text.json`: words of each paragraph, the questions, and the tokens by id."""

    paragraphs: tuple[tuple[str, ...], ...]
    questions: tuple[AskedQuestion, ...]
    vocabulary: tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """Tokens `first` to `last` of sample `row`, and the sum of their logits."""

    row: int
    first: int
    last: int
    score: float


def best_span(features: Features, row: int, logits: Array) -> Span | None:
    """The best pair among the `BEST` starts and ends that is an answer; the first of equals.

    Args:
        features: of all samples.
        row: the sample.
        logits: float32 (sequence, 2).
    """
    import numpy as np

    start, end = logits[:, 0].astype(np.float64), logits[:, 1].astype(np.float64)
    firsts, lasts = (np.argsort(-values, kind="stable")[:BEST] for values in (start, end))
    context = features["context_start"][row]
    inside = (lasts >= context) & (lasts < context + features["window_length"][row])
    span = lasts[None, :] - firsts[:, None]
    allowed = (span >= 0) & (span < LONGEST) & inside[None, :] & features["clearest"][row][firsts][:, None]
    if not allowed.any():
        return None
    scores = np.where(allowed, start[firsts][:, None] + end[lasts][None, :], -np.inf)
    first, last = np.unravel_index(scores.argmax(), scores.shape)
    return Span(row, int(firsts[first]), int(lasts[last]), float(scores[first, last]))


class AnswerReader:
    """Cuts answers out of the paragraphs' own words."""

    def __init__(self, features: Features, texts: Texts) -> None:
        from tokenizers import normalizers, pre_tokenizers

        self._features, self._texts = features, texts
        self._normalizer: Any = normalizers.BertNormalizer(lowercase=True)
        self._splitter: Any = pre_tokenizers.BertPreTokenizer()

    def answer(self, question: int, spans: Sequence[Span]) -> str:
        """The text of the best of a question's spans; the first of equals."""
        if not spans:
            return NO_ANSWER
        best = max(spans, key=lambda span: span.score)
        words = self._texts.paragraphs[self._texts.questions[question].paragraph]
        first, last = (self._word(question, best.row, token) for token in (best.first, best.last))
        ids = self._features["input_ids"][best.row, best.first : best.last + 1]
        pieces = " ".join(self._texts.vocabulary[token] for token in ids)
        tokens = " ".join(pieces.replace(" ##", "").replace("##", "").split())
        return self.original(tokens, " ".join(words[first : last + 1]))

    def _word(self, question: int, row: int, token: int) -> int:
        features = self._features
        offset = features["paragraph_offsets"][self._texts.questions[question].paragraph]
        inside = features["window_start"][row] + token - features["context_start"][row]
        return int(features["word_of_token"][offset + inside])

    def original(self, tokens: str, text: str) -> str:
        """The part of `text` that reads `tokens` once it is lower-cased, stripped of accents and cut at punctuation.

        All of `text` where the two cannot be brought together character by character.
        """
        plain = self._normalizer.normalize_str(text)
        spaced = " ".join(word for word, _ in self._splitter.pre_tokenize_str(plain))
        found = spaced.find(tokens)
        places = [place for place, character in enumerate(text) if character != " "]
        if found < 0 or len(places) != len(spaced.replace(" ", "")):
            return text
        first = len(spaced[:found].replace(" ", ""))
        last = first + len(tokens.replace(" ", "")) - 1
        return text[places[first] : places[last] + 1]
