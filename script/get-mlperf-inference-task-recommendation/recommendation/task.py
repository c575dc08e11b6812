"""Click prediction: how likely is it that the user clicks on the item?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.outcome import Quality
from harness.tasks.base import Column, Samples, TaskDefaults
from recommendation.pairs import Pairs, sample_bounds


class Recommendation(TaskDefaults):
    """A sample is 100 to 700 pairs; its response has a (probability, label) couple of float32 for each.

    The labels travel with the answers because the reference's accuracy-dlrm.py expects them there.
    """

    response_width = None

    def __init__(self, config: RunConfig) -> None:
        pairs = self._pairs = Pairs(config)
        self._target = config.quality_target
        self._bounds = sample_bounds(pairs.info.pairs)
        self.count = len(self._bounds) - 1
        features, ids = pairs.dense.shape[1], sum(feature.shape[1] for feature in pairs.sparse)
        self.columns: tuple[Column, ...] = (
            Column("dense", (None, features), "float32", "concat"),
            Column("sparse", (None, ids), "int32", "concat"),
        )
        self.sample_bytes = 4 * (features + ids) * -(-pairs.info.pairs // self.count)

    def load(self, indices: list[int]) -> tuple[Samples, ...]:
        """Dense features and categorical ids of each sample, read from the memory maps."""
        import numpy as np

        ranges = [(int(self._bounds[index]), int(self._bounds[index + 1])) for index in indices]
        dense = [np.array(self._pairs.dense[begin:end]) for begin, end in ranges]
        return dense, [self._pairs.ids(begin, end) for begin, end in ranges]

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """Probabilities of all pairs (pairs,) → per sample (probability, label) couples, flat."""
        import numpy as np

        sizes = [int(self._bounds[index + 1] - self._bounds[index]) for index in indices]
        predicted = outputs[0].reshape(-1)
        if len(predicted) != sum(sizes):
            cause = f"the backend returned {len(predicted)} outputs for samples of {sum(sizes)} pairs together"
            raise HarnessError("raised", cause)
        parts = np.split(predicted, np.cumsum(sizes)[:-1])
        return [self._couples(part, index) for part, index in zip(parts, indices, strict=True)]

    def _couples(self, predicted: Array, index: int) -> Array:
        import numpy as np

        labels = self._pairs.labels[self._bounds[index] : self._bounds[index + 1], 0]
        return np.stack([predicted, labels], axis=1).astype(np.float32).reshape(-1)

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and the number of samples."""
        facts: dict[str, Any] = msgspec.to_builtins(self._pairs.info)
        return {**facts, "count": self.count, "folder": str(self._pairs.folder)}

    def quality(self, log_dir: Path) -> Quality | None:
        """AUC in percent; None for synthetic data, whose labels mean nothing."""
        from recommendation import metric

        if self._pairs.info.tier == "synthetic":
            return None
        return metric.score(log_dir, self._bounds, self._target)
