"""What a task must offer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality

Reduction = Literal["argmax", "none"]


class Task(Protocol):
    """Data of one benchmark and the meaning of the model's outputs.

    Attributes:
        count: samples in the data set.
        sample_shape: shape of one prepared sample, without the batch axis.
        reduction: what the backend applies to the outputs on its own device before they travel back.
        response_dtype, response_width: numpy dtype and number of values of one response.
        sample_bytes: size of one prepared sample in memory.
    """

    count: int
    sample_shape: tuple[int, ...]
    reduction: Reduction
    response_dtype: str
    response_width: int
    sample_bytes: int

    def __init__(self, config: RunConfig) -> None:
        """Open the data; raises HarnessError of kind `dataset` when they are not what they claim to be."""
        ...

    def load(self, indices: list[int]) -> Array:
        """Prepared samples, float32 of shape (len(indices), *sample_shape)."""
        ...

    def encode(self, outputs: Array, results: Array, count: int) -> None:
        """Write the responses for `count` reduced outputs into the first rows of `results`.

        Raises:
            HarnessError: kind `raised` when the backend gave another number of outputs.
        """
        ...

    def facts(self) -> dict[str, Any]:
        """What the data are: name, tier, count, shape."""
        ...

    def quality(self, log_dir: Path) -> Quality | None:
        """Score mlperf_log_accuracy.json in `log_dir`; None where the task has no metric."""
        ...
