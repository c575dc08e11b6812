"""Click prediction: how likely is it that the user clicks on the item?"""

from __future__ import annotations

from itertools import pairwise
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
        import numpy as np

        pairs = self._pairs = Pairs(config)
        self._target = config.quality_target
        self._bounds = sample_bounds(pairs.info.pairs)
        self.count = len(self._bounds) - 1
        self._places = list(pairwise(self._bounds.tolist()))
        self._labels = np.asarray(pairs.labels)[:, 0]  # the same pages without the memory map's slow slicing
        features, ids = pairs.dense.shape[1], sum(feature.shape[1] for feature in pairs.sparse)
        self.columns: tuple[Column, ...] = (
            Column("dense", (None, features), "float32", "concat"),
            Column("sparse", (None, ids), "int32", "concat"),
        )
        self.sample_bytes = 4 * (features + ids) * -(-pairs.info.pairs // self.count)

    def load(self, indices: list[int]) -> tuple[Samples, ...]:
        """Dense features and categorical ids of each sample, read from the memory maps."""
        import numpy as np

        places = [self._places[index] for index in indices]
        dense = [np.array(self._pairs.dense[begin:end]) for begin, end in places]
        return dense, [self._pairs.ids(begin, end) for begin, end in places]

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """Probabilities of all pairs (pairs,) → per sample (probability, label) couples, flat."""
        import numpy as np

        places = [self._places[index] for index in indices]
        predicted, total = outputs[0].reshape(-1), sum(end - begin for begin, end in places)
        if len(predicted) != total:
            cause = f"the backend returned {len(predicted)} outputs for samples of {total} pairs together"
            raise HarnessError("raised", cause)
        couples = np.empty((total, 2), dtype=np.float32)
        couples[:, 0] = predicted
        responses, at = [], 0
        for begin, end in places:
            part = couples[at : at + end - begin]
            part[:, 1] = self._labels[begin:end]
            responses.append(part.reshape(-1))
            at += end - begin
        return responses

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
