"""A task without data: measures what the harness itself costs."""

from __future__ import annotations

from typing import Any

from harness.arrays import Array
from harness.config import RunConfig
from harness.tasks.base import Column, Prompt, TaskDefaults

COUNT = 1024
TOKENS = 32  # length of a null prompt and of its answer


class NullTask(TaskDefaults):
    """1024 samples of one float; responses are one float32 like those of image classification."""

    def __init__(self, config: RunConfig) -> None:
        self.count = COUNT
        self.columns: tuple[Column, ...] = (Column("x", (1,)),)
        self.sample_bytes = 4

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        """Zeros."""
        import numpy as np

        return (np.zeros((len(indices), 1), dtype=np.float32),)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """As they are."""
        return outputs[0]

    def facts(self) -> dict[str, Any]:
        """Name and count."""
        return {"name": "null", "tier": "synthetic", "count": COUNT}


class NullGeneration(NullTask):
    """1024 prompts of 32 tokens, to be answered with 32 tokens."""

    generates = True

    def prompt(self, index: int) -> Prompt:
        """The same prompt for every sample."""
        return Prompt(tokens=(1,) * TOKENS, max_new_tokens=TOKENS)
