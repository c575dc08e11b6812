"""Answer-sentence selection: which sentence of the paragraph answers the question?

The stand-in for BERT where no fine-tuned weights are at hand. Its metric is the share of questions whose chosen
sentence contains a gold answer. It is *not* SQuAD's F1 and no MLPerf figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.arrays import Array
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require, require_outputs
from question_answering.features import Features

SLOTS = 64  # sentences that the model can score; SQuAD's longest paragraph has 25


class AnswerSentenceSelection(TaskDefaults):
    """A sample is a question with all sentences of its paragraph; a response holds one float32 score per sentence."""

    def __init__(self, config: RunConfig) -> None:
        names = ("input_ids", "segments", "positions")
        self._features = Features(config, "sentences", (*names[1:], "lengths", "sentences", "correct"))
        self._target = config.quality_target
        info = self._features.info
        most = self._features["correct"].shape[1]
        require(
            most <= SLOTS,
            f"{self._features.folder} has paragraphs of {most} sentences, {SLOTS} are possible",
            self._features.hint,
        )
        self.count = info.count
        self.columns = tuple(Column(name, (info.sequence,), "int64", "trim") for name in names)
        self.sample_bytes = 3 * 8 * info.sequence
        self.response_width = most

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        """Token ids, segments and positions, each int64 (n, sequence)."""
        import numpy as np

        return tuple(self._features[column.name][indices].astype(np.int64) for column in self.columns)

    def lengths(self, indices: list[int]) -> list[int]:
        """Tokens per sample."""
        lengths: list[int] = self._features["lengths"][indices].tolist()
        return lengths

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """Scores (n, most sentences)."""
        require_outputs(outputs, len(indices))
        return outputs[0][:, : self.response_width]

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and what is counted."""
        return {**self._features.facts(), "metric": "answer-sentence accuracy, not F1"}

    def quality(self, log_dir: Path) -> Quality:
        """Percent of the questions whose best sentence contains a gold answer; also writes accuracy.txt."""
        import numpy as np

        payloads = log.read_complete(log_dir, self.count)
        wrong = [row for row, payload in enumerate(payloads) if len(payload) != 4 * (self.response_width or 0)]
        if wrong:
            cause = f"{log_dir / ACCURACY}: response {wrong[0]} is not {self.response_width} float32 scores"
            raise HarnessError("accuracy", cause)
        scores: Array = np.frombuffer(b"".join(payloads), dtype=np.float32).reshape(self.count, -1)
        if not np.isfinite(scores).all():
            raise HarnessError("accuracy", f"{log_dir / ACCURACY}: scores hold NaN or infinite numbers")
        correct = int(self._features["correct"][np.arange(self.count), scores.argmax(axis=1)].sum())
        value, target = 100.0 * correct / self.count, self._target
        (log_dir / log.FILE_NAME).write_text(f"accuracy={value:.3f}%, good={correct}, total={self.count}\n")
        passed = None if target is None else value >= target
        return Quality(
            metric="answer-sentence accuracy",
            value=value,
            unit="%",
            correct=correct,
            total=self.count,
            target=target,
            passed=passed,
        )
