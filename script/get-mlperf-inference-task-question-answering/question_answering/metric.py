"""F1 and exact match of SQuAD v1.1 (Rajpurkar et al. 2016) from an accuracy log, by torchmetrics.

accuracy.txt has the line of the reference's evaluate_v1.1.py, which submission checkers search for:
`{"exact_match": 83.67, "f1": 90.87}`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.arrays import Array
from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Metric, Quality
from harness.tasks.base import require
from question_answering.answers import AnswerReader, Span, Texts, best_span
from question_answering.features import Features


def score(log_dir: Path, features: Features, target: float | None) -> Quality:
    """Score the log in `log_dir` and write accuracy.txt there; `target` is an F1 in percent.

    Raises:
        HarnessError: kind `accuracy` for the log, `dataset` for the texts.
    """
    texts: Texts = features.read_json("text.json", Texts)
    predictions = predict(log.read_complete(log_dir, features.info.count), features, texts, log_dir / ACCURACY)
    exact, f1 = evaluate(predictions, texts)
    (log_dir / log.FILE_NAME).write_text(json.dumps({"exact_match": exact, "f1": f1}) + "\n")
    passed = None if target is None else f1 >= target
    more = (Metric(name="exact match", value=exact, unit="%"),)
    return Quality(metric="F1", value=f1, unit="%", total=len(predictions), target=target, passed=passed, more=more)


def predict(payloads: list[bytes], features: Features, texts: Texts, path: Path) -> list[str]:
    """An answer per question, from the responses of all its samples."""
    require("question" in features.arrays, f"{features.folder}/features.npz lacks question", features.hint)
    spans: dict[int, list[Span]] = defaultdict(list)
    questions: list[int] = features["question"].tolist()
    for row, (payload, question) in enumerate(zip(payloads, questions, strict=True)):
        found = best_span(features, row, logits_of(payload, features.info.sequence, row, path))
        if found is not None:
            spans[question].append(found)
    reader = AnswerReader(features, texts)
    return [reader.answer(number, spans[number]) for number in range(len(texts.questions))]


def logits_of(payload: bytes, sequence: int, row: int, path: Path) -> Array:
    """Float32 (sequence, 2); raises HarnessError of kind `accuracy` for another size or a number that is none."""
    import numpy as np

    if len(payload) != 8 * sequence:
        cause = f"{path}: response {row} has {len(payload)} bytes, {8 * sequence} are {sequence} pairs of float32"
        raise HarnessError("accuracy", cause)
    logits: Array = np.frombuffer(payload, dtype=np.float32).reshape(sequence, 2)
    if not np.isfinite(logits).all():
        raise HarnessError(
            "accuracy",
            f"{path}: response {row} holds NaN or infinite logits",
            "the model overflows: try a wider number format, --precision=bf16 or fp32",
        )
    return logits


def evaluate(predictions: list[str], texts: Texts) -> tuple[float, float]:
    """Exact match and F1 in percent.

    torchmetrics adds up in float32, so it is asked question by question. It scores an answer of nothing but articles
    and punctuation 1 against such a gold answer, where the original script gives 0.
    """
    from torchmetrics.functional.text import squad

    exact = f1 = 0.0
    for prediction, question in zip(predictions, texts.questions, strict=True):
        gold: dict[str, Any] = {"text": list(question.answers), "answer_start": [0] * len(question.answers)}
        one = squad(
            [{"prediction_text": prediction, "id": question.id}],
            [{"answers": gold, "id": question.id}],
        )
        exact, f1 = exact + float(one["exact_match"]), f1 + float(one["f1"])
    return exact / len(predictions), f1 / len(predictions)
