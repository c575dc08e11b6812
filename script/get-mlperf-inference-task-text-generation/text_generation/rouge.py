"""ROUGE as MLPerf's language benchmarks use it: F-measures with stemming, one sentence per line for Lsum.

Google's rouge-score does the counting, the same code that the `evaluate` library of the references calls; NLTK's Punkt
model divides the texts into sentences.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from harness.errors import HarnessError

TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
_CHUNK = 256


def use_sentence_model(folder: Path) -> None:
    """Let NLTK look into `folder` first; it holds tokenizers/punkt_tab."""
    import nltk

    if str(folder) not in nltk.data.path:
        nltk.data.path.insert(0, str(folder))


def by_sentence(text: str) -> str:
    """The stripped text with every sentence on a line of its own."""
    import nltk

    try:
        return "\n".join(nltk.sent_tokenize(text.strip()))
    except LookupError as error:
        raise HarnessError(
            "accuracy",
            "NLTK's sentence model punkt_tab is neither with the prompts nor in a folder of NLTK_DATA",
            'prepare the prompts again: cmr "get preprocessed dataset llm" --new',
        ) from error


def scores(predictions: Sequence[str], references: Sequence[str], types: Sequence[str] = TYPES) -> dict[str, float]:
    """Mean F-measure in percent per type, over texts that are one sentence per line. Raises ValueError when empty."""
    if not predictions:
        raise ValueError("no predictions")
    pieces = [
        (predictions[start : start + _CHUNK], references[start : start + _CHUNK], types)
        for start in range(0, len(predictions), _CHUNK)
    ]
    if len(pieces) == 1:
        parts = [_score_piece(pieces[0])]
    else:
        with ProcessPoolExecutor(min(len(pieces), os.cpu_count() or 1)) as pool:
            parts = list(pool.map(_score_piece, pieces))
    flat = {name: [value for part in parts for value in part[name]] for name in types}
    return {name: 100.0 * sum(values) / len(values) for name, values in flat.items()}


def _score_piece(piece: tuple[Sequence[str], Sequence[str], Sequence[str]]) -> dict[str, list[float]]:
    from rouge_score.rouge_scorer import RougeScorer

    predictions, references, types = piece
    scorer = RougeScorer(list(types), use_stemmer=True)
    found = [scorer.score(reference, text) for text, reference in zip(predictions, references, strict=True)]
    return {name: [one[name].fmeasure for one in found] for name in types}
