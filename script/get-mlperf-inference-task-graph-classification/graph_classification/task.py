"""The graph benchmark: a node in, its class out.

The sample is a node's number. Sampling its neighbourhood and gathering features happen in the module, inside the timed
part, as in the reference. A response is the class as one int64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graph_classification.graph import HINT, describe, read_values
from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Column, Reduction, TaskDefaults, require, require_outputs, require_tier


class GraphClassification(TaskDefaults):
    """Classes of the asked nodes of a prepared graph."""

    columns = (Column("nodes", (1,), dtype="int64"),)
    sample_bytes = 8
    reduction: Reduction = "argmax"
    response_dtype = "int64"
    response_width: int | None = 1

    def __init__(self, config: RunConfig) -> None:
        import numpy as np

        folder = Path(config.dataset)
        self._info = info = describe(folder)
        require_tier(config, info.tier, folder)
        require(info.count > 0, f"{folder}/dataset.json says count {info.count}", HINT)
        nodes = info.nodes[info.predicted].count
        self.count = info.count
        self._target = config.quality_target
        self._labels = read_values(folder / info.labels, (nodes,))
        self._seeds = np.asarray(read_values(folder / info.seeds, (info.count,)), dtype=np.int64)
        fits = int(self._seeds.min()) >= 0 and int(self._seeds.max()) < nodes
        require(fits, f"{folder / info.seeds} names nodes beyond the {nodes} of type {info.predicted!r}", HINT)

    def load(self, indices: list[int]) -> tuple[Array]:
        """Node numbers, int64 (n, 1)."""
        return (self._seeds[indices][:, None],)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """The classes."""
        require_outputs(outputs, len(indices))
        classes: Array = outputs[0].astype(self.response_dtype)
        return classes

    def facts(self) -> dict[str, Any]:
        """What the graph is."""
        info = self._info
        nodes = {kind: entry.count for kind, entry in info.nodes.items()}
        return {"name": info.name, "tier": info.tier, "count": self.count, "classes": info.classes, "nodes": nodes}

    def quality(self, log_dir: Path) -> Quality:
        """Share of right classes; also writes accuracy.txt beside the log."""
        from graph_classification import metric

        return metric.score(log_dir, self._labels[self._seeds], self._target)
