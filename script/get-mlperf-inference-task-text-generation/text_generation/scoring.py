"""From an accuracy log to figures: tokens to text, text to scores, scores to accuracy.txt and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.outcome import Metric, Quality
from text_generation import metrics, rouge
from text_generation.benchmarks import Expected, expected_of
from text_generation.metrics import Answers, Figures
from text_generation.prompts import PromptFolder

_METRICS: dict[str, Callable[[Answers], Figures]] = {
    "rouge": metrics.summaries,
    "mixtral": metrics.mixtral,
    "long-context": metrics.long_context,
    "reasoning": metrics.reasoning,
    "reasoning-repeated": metrics.reasoning_repeated,
}
_UNITS = {"gen_len": "characters", "gen_num": "samples", "gen_tok_len": "tokens", "tokens_per_sample": "tokens"}


def score(data: PromptFolder, log_dir: Path, config: RunConfig, dtype: str) -> Quality:
    """Score the log in `log_dir` and write accuracy.txt there, one line as the reference script prints it.

    Raises:
        HarnessError: kind `accuracy`, when samples are missing or answers cannot be read as tokens of the tokenizer.
    """
    tokens: list[Any] = [
        log.as_array(payload, dtype, log_dir) for payload in log.read_complete(log_dir, data.info.count)
    ]
    answers = Answers(texts=_decode(data, tokens), lengths=[len(one) for one in tokens], references=data.references())
    rouge.use_sentence_model(data.folder / "nltk")
    figures = _METRICS[data.info.metric](answers)
    (log_dir / log.FILE_NAME).write_text(f"{figures.printed()}\n", encoding="utf-8")
    return verdict(figures, expected_of(config.model.name, data.info), config.quality_target, data.info.count)


def _decode(data: PromptFolder, tokens: Sequence[Any]) -> list[str]:
    """Text of each answer; gpt-oss's channel marks are special tokens that its metric needs."""
    from transformers import AutoTokenizer

    folder = data.folder / "tokenizer"
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        skip = data.info.metric != "reasoning-repeated"
        texts: list[str] = tokenizer.batch_decode([one.tolist() for one in tokens], skip_special_tokens=skip)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise HarnessError("accuracy", f"answers cannot be turned into text with {folder}: {error}") from error
    return texts


def verdict(figures: Figures, expected: Expected | None, target: float | None, total: int) -> Quality:
    """The headline metric with all others.

    It has passed when every limit of the benchmark holds; `target` takes the place of the headline's.
    Nothing has passed while a part of the official metric could not be computed.
    """
    limits = expected.at_least if expected else {}
    bands = expected.length if expected else {}
    goal = target if target is not None else limits.get(figures.headline)
    limits = limits | ({figures.headline: goal} if goal is not None else {})
    results = [_at_least(figures, name, limit) for name, limit in limits.items() if name in figures.values]
    results += [_within(figures.values[name], *band) for name, band in bands.items() if name in figures.values]
    complete = not figures.not_computed
    return Quality(
        metric=figures.headline,
        value=figures.values[figures.headline],
        unit="%",
        total=total,
        correct=figures.correct,
        target=goal,
        passed=(all(results) and complete) if results else None,
        more=tuple(
            Metric(
                name=name,
                value=value,
                unit=_UNITS.get(name, "%"),
                target=limits.get(name),
                passed=_at_least(figures, name, limits[name]) if name in limits else None,
            )
            for name, value in figures.values.items()
            if name != figures.headline
        ),
    )


def _at_least(figures: Figures, name: str, limit: float) -> bool:
    return figures.values[name] >= limit


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
