"""A task without data: measures what the harness itself costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Reduction

COUNT = 1024


class NullTask:
    """1024 samples of one float; responses are one float32 like those of image classification."""

    def __init__(self, config: RunConfig) -> None:
        self.count = COUNT
        self.sample_shape: tuple[int, ...] = (1,)
        self.reduction: Reduction = "none"
        self.response_dtype = "float32"
        self.response_width = 1
        self.sample_bytes = 4
        self._config = config

    def load(self, indices: list[int]) -> Array:
        """Zeros."""
        import numpy as np

        return np.zeros((len(indices), 1), dtype=np.float32)

    def encode(self, outputs: Array, results: Array, count: int) -> None:
        """Copy as a real task would."""
        results[:count, 0] = outputs

    def facts(self) -> dict[str, Any]:
        """Name and count."""
        return {"name": "null", "tier": "synthetic", "count": COUNT}

    def quality(self, log_dir: Path) -> Quality | None:
        """There is nothing to score."""
        return None
