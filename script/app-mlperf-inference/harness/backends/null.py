"""A model that does nothing: what remains is the cost of the harness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.arrays import Array
from harness.backends.base import Execution
from harness.config import RunConfig
from harness.tasks.base import Column, Reduction, Samples


class NullBackend:
    """Answers zeros from one preallocated array."""

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        import numpy as np

        self._zeros: Array = np.zeros((max(config.batch_size, 1), 1), dtype=np.float32)

    def load(self) -> dict[str, Any]:
        """Nothing to load."""
        return {"name": "null", "parameters": 0}

    def stage(self, count: int, columns: tuple[Column, ...], chunks: Iterable[tuple[Samples, ...]]) -> None:
        """Consume the chunks, so that the task's preparation runs as with a real backend."""
        for _ in chunks:
            pass

    def unstage(self) -> None:
        """Nothing is held."""

    def submit(self, rows: list[int], longest: int | None = None) -> int:
        """The ticket is the number of samples."""
        return len(rows)

    def collect(self, ticket: int) -> tuple[Array, ...]:
        """Zeros."""
        return (self._zeros[:ticket],)

    def execution(self) -> Execution:
        """No model, hence no precision."""
        return Execution(used="cpu", executed="null backend", precision="none", residency="host", threads=1)
