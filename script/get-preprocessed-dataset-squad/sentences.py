"""Samples for answer-sentence selection: a question and its paragraph's sentences, packed into one sequence.

Each text is [CLS] … [SEP] with positions of its own; `segments` numbers them (0 padding, 1 the question, 2 … the
sentences), and a model that lets tokens see their own segment only computes what it would for the texts one by one. A
selection is right when the sentence contains one of the gold answers.
"""

from __future__ import annotations

import random
import re
from typing import Any

from squad import Paragraph, Question
from wordpiece import WordPiece

LONGEST = 128  # tokens per text, [CLS] and [SEP] included
_SENTENCE_END = re.compile(r'(?<=[.!?])\s+(?=[A-Z"(])')


def split_sentences(text: str) -> list[str]:
    """Cut after . ! ? where a capital letter, a quotation mark or a bracket follows."""
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def chosen(questions: list[tuple[int, Question]], count: int) -> list[tuple[int, Question]]:
    """`count` of the questions (0: all) in a fixed random order."""
    shuffled = list(questions)
    random.Random(0).shuffle(shuffled)
    return shuffled[:count] if count else shuffled


def samples(
    paragraphs: list[Paragraph], questions: list[tuple[int, Question]], encoder: WordPiece
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays (n, longest sample) of ids, segments and positions, and `correct` (n, most sentences)."""
    import numpy as np

    split = {number: split_sentences(paragraphs[number].text) for number, _ in questions}
    texts = [[question.text, *split[number]] for number, question in questions]
    packed = [_pack(ids, encoder) for ids in _encoded(texts, encoder)]
    count, longest = len(packed), max(len(ids) for ids, _, _ in packed)
    arrays = {name: np.zeros((count, longest), np.int32) for name in ("input_ids", "segments", "positions")}
    correct = np.zeros((count, max(len(text) for text in texts) - 1), dtype=bool)
    for row, (sample, (number, question)) in enumerate(zip(packed, questions, strict=True)):
        for array, values in zip(arrays.values(), sample, strict=True):
            array[row, : len(values)] = values
        marks = [any(answer in sentence for answer in question.answers) for sentence in split[number]]
        correct[row, : len(marks)] = marks
    counts = np.array([len(text) - 1 for text in texts], dtype=np.int32)
    lengths = np.array([len(ids) for ids, _, _ in packed], dtype=np.int32)
    chance = float((correct.sum(axis=1) / counts).mean())
    return {**arrays, "lengths": lengths, "sentences": counts, "correct": correct}, {"chance": round(chance, 4)}


def _encoded(texts: list[list[str]], encoder: WordPiece) -> list[list[list[int]]]:
    flat = iter(encoder.texts([text for group in texts for text in group]))
    return [[next(flat)[: LONGEST - 2] for _ in group] for group in texts]


def _pack(texts: list[list[int]], encoder: WordPiece) -> tuple[list[int], list[int], list[int]]:
    ids: list[int] = []
    segments: list[int] = []
    positions: list[int] = []
    for number, text in enumerate(texts, start=1):
        ids += [encoder.cls, *text, encoder.sep]
        segments += [number] * (len(text) + 2)
        positions += range(len(text) + 2)
    return ids, segments, positions
