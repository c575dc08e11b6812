"""Features for span extraction: [CLS] question [SEP] window of the paragraph [SEP].

The windows are those of MLPerf's BERT reference (create_squad_data.py, after Devlin et al. 2018): at most 384 tokens,
the question cut to 64, a window every 128 tokens where a paragraph is too long. 10,570 questions give 10,833 features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from squad import Paragraph, Question
from wordpiece import Pieces, WordPiece

NARROW_NO_BREAK_SPACE = "\u202f"


@dataclass(frozen=True)
class Limits:
    """All in tokens."""

    sequence: int = 384
    question: int = 64
    stride: int = 128


@dataclass(frozen=True)
class Window:
    """A run of a paragraph's tokens."""

    start: int
    length: int


def split_words(text: str) -> list[str]:
    """Words between blanks, tabs, line ends and narrow no-break spaces; other Unicode blanks belong to words."""
    for blank in ("\t", "\r", "\n", NARROW_NO_BREAK_SPACE):
        text = text.replace(blank, " ")
    return [word for word in text.split(" ") if word]


def windows(tokens: int, room: int, stride: int) -> list[Window]:
    """Overlapping windows that cover `tokens`; the last one ends where they end."""
    found: list[Window] = []
    start = 0
    while start < tokens:
        length = min(tokens - start, room)
        found.append(Window(start, length))
        if start + length == tokens:
            break
        start += min(length, stride)
    return found


def best_windows(found: list[Window], tokens: int) -> Any:
    """For each token the window that shows most of what surrounds it: int64 (tokens,).

    The measure is the shorter of both sides plus a hundredth of the window's length; the first of equals wins.
    """
    import numpy as np

    start = np.array([[window.start] for window in found])
    length = np.array([[window.length] for window in found])
    left = np.arange(tokens)[None, :] - start
    right = start + length - 1 - np.arange(tokens)[None, :]
    score = np.minimum(left, right) + 0.01 * length
    return np.where((left < 0) | (right < 0), -np.inf, score).argmax(axis=0)


def features(
    paragraphs: list[Paragraph], questions: list[tuple[int, Question]], encoder: WordPiece, limits: Limits
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays of all features, and the texts that answers are later cut from."""
    import numpy as np

    words = [split_words(paragraph.text) for paragraph in paragraphs]
    pieces = encoder.words(words)
    asked = encoder.texts([question.text for _, question in questions])
    rows = [
        row
        for number, ((paragraph, _), query) in enumerate(zip(questions, asked, strict=True))
        for row in _rows(number, query[: limits.question], pieces[paragraph], encoder, limits)
    ]
    if not rows:
        raise ValueError("no paragraph has a word: there is nothing to ask about")
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    arrays["word_of_token"] = np.concatenate([np.array(piece.words, dtype=np.int32) for piece in pieces])
    arrays["paragraph_offsets"] = np.cumsum([0, *(len(piece.ids) for piece in pieces)])
    texts = {
        "paragraphs": words,
        "questions": [{"id": q.id, "paragraph": number, "answers": q.answers} for number, q in questions],
    }
    return arrays, texts


def _rows(question: int, query: list[int], pieces: Pieces, encoder: WordPiece, limits: Limits) -> list[dict[str, Any]]:
    import numpy as np

    head = [encoder.cls, *query, encoder.sep]
    found = windows(len(pieces.ids), limits.sequence - len(head) - 1, limits.stride)
    best = best_windows(found, len(pieces.ids)) if found else ()
    rows = []
    for number, window in enumerate(found):
        end = window.start + window.length
        ids = np.zeros(limits.sequence, dtype=np.int32)
        ids[: len(head) + window.length + 1] = [*head, *pieces.ids[window.start : end], encoder.sep]
        clearest = np.zeros(limits.sequence, dtype=bool)
        clearest[len(head) : len(head) + window.length] = best[window.start : end] == number
        place = {"context_start": len(head), "window_start": window.start, "window_length": window.length}
        numbers = {name: np.int32(value) for name, value in {"question": question, **place}.items()}
        rows.append({"input_ids": ids, "clearest": clearest, **numbers})
    return rows
