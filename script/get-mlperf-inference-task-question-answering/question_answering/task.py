"""Span extraction as MLPerf's BERT does it: logits for the start and the end of the answer, for each token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require, require_outputs
from question_answering.features import Features

ABSENT = -10000.0  # logit of a token that was not computed; the reference's accuracy script pads with it too


class QuestionAnswering(TaskDefaults):
    """BERT on SQuAD v1.1. A response is float32 (sequence, 2): start and end logit of each token, interleaved.

    Batches are cut to their longest sample, and what was cut off answers `ABSENT`.
    """

    def __init__(self, config: RunConfig) -> None:
        self._features = Features(config, "spans", ("context_start", "window_start", "window_length"))
        self._target = config.quality_target
        info = self._features.info
        self.count = info.count
        self._sequence = info.sequence
        names = ("input_ids", "attention_mask", "token_type_ids")
        self.columns = tuple(Column(name, (info.sequence,), "int64", "trim") for name in names)
        self.sample_bytes = 3 * 8 * info.sequence
        self.response_width = 2 * info.sequence
        self._lengths = self._features["context_start"] + self._features["window_length"] + 1
        require(
            self._lengths.min() > 0 and self._lengths.max() <= info.sequence,
            f"{self._features.folder}: samples of {self._lengths.min()} to {self._lengths.max()} tokens,"
            f" 1 to {info.sequence} are possible",
            self._features.hint,
        )

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        """Token ids, attention mask and token types, each int64 (n, sequence)."""
        import numpy as np

        position = np.arange(self._sequence)[None, :]
        start = self._features["context_start"][indices, None]
        mask = position < self._lengths[indices, None]
        types = mask & (position >= start)
        columns = (self._features["input_ids"][indices], mask, types)
        return tuple(column.astype(np.int64) for column in columns)

    def lengths(self, indices: list[int]) -> list[int]:
        """Tokens per sample."""
        lengths: list[int] = self._lengths[indices].tolist()
        return lengths

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """(n, 2 x sequence) from logits (n, length, 2), or from start and end logits (n, length) each."""
        import numpy as np

        require_outputs(outputs, len(indices))
        logits = np.stack(outputs[:2], axis=-1) if len(outputs) > 1 else outputs[0]
        padded = np.full((len(indices), self._sequence, 2), ABSENT, dtype=np.float32)
        padded[:, : logits.shape[1]] = logits
        return padded.reshape(len(indices), -1)

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json and the folder."""
        return self._features.facts()

    def quality(self, log_dir: Path) -> Quality | None:
        """F1 and exact match in percent; None for synthetic data, which have no answers."""
        from question_answering import metric

        if self._features.info.tier == "synthetic":
            return None
        return metric.score(log_dir, self._features, self._target)
