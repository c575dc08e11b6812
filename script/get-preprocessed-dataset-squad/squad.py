"""Reading SQuAD's own JSON format (version 1.1): articles, their paragraphs, and questions with gold answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Question:
    """One question; `answers` are texts that people marked in the paragraph."""

    id: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Paragraph:
    """A passage and what was asked about it."""

    text: str
    questions: tuple[Question, ...]


def read_squad(path: Path) -> list[Paragraph]:
    """All paragraphs in file order. Raises OSError, or ValueError when it is not SQuAD v1.1 or has no question."""
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        paragraphs = [_paragraph(item) for article in articles for item in article["paragraphs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a SQuAD file: {type(error).__name__}: {str(error)[:120]}") from error
    if not any(paragraph.questions for paragraph in paragraphs):
        raise ValueError(f"{path} has no question")
    return paragraphs


def _paragraph(item: dict[str, Any]) -> Paragraph:
    return Paragraph(item["context"], tuple(_question(question) for question in item["qas"]))


def _question(item: dict[str, Any]) -> Question:
    answers = tuple(str(answer["text"]) for answer in item["answers"])
    if not answers:
        raise ValueError(f"question {item['id']} has no answer (SQuAD 2.0 is another benchmark)")
    return Question(str(item["id"]), str(item["question"]), answers)


def numbered(paragraphs: Iterable[Paragraph]) -> list[tuple[int, Question]]:
    """(paragraph number, question) in file order."""
    return [(number, question) for number, paragraph in enumerate(paragraphs) for question in paragraph.questions]
