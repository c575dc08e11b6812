"""What a task must offer.

A task's own package lives outside the harness, in `script/get-mlperf-inference-task-<family>/`, and is named by a
dotted path (`package.module:Name`): docs/add-a-model.md shows one from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

import msgspec

from harness.arrays import Array
from harness.config import TIERS, RunConfig, Tier
from harness.errors import HarnessError
from harness.outcome import Quality

Reduction = Literal["argmax", "none"]
Join = Literal["stack", "trim", "concat", "single"]

# The prepared samples of one column: an array (n, *shape) for stack and trim, a list of n arrays otherwise.
Samples: TypeAlias = "Array | list[Array]"


@dataclass(frozen=True)
class Column:
    """One input of the model, which is called with one tensor per column.

    Attributes:
        name: what the column is called in exported models.
        shape: shape of one sample, without the batch axis; None where samples differ (join concat or single).
        dtype: numpy name; floats are cast to the run's precision by the backend.
        join: how samples become a batch. `stack` adds the batch axis; `trim` does too and cuts axis 1 down to the
            longest sample of the batch (see `Task.lengths`); `concat` joins along axis 0 and adds no axis; `single`
            adds the axis to batches of one.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    join: Join = "stack"


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a generating model starts from: token ids, or features (audio, images), or both."""

    max_new_tokens: int
    min_new_tokens: int = 1
    tokens: tuple[int, ...] = ()
    features: Any = None


class Dataset(Protocol):
    """What all tasks have: data, and the meaning of the answers.

    Attributes:
        generates: whether the model answers with tokens, one after the other.
        count: samples in the data set.
        sample_bytes: size of one prepared sample in memory.
    """

    generates: ClassVar[bool]
    count: int
    sample_bytes: int

    def __init__(self, config: RunConfig) -> None:
        """Open the data; raises HarnessError of kind `dataset` when they are not what they claim to be."""
        ...

    def lengths(self, indices: list[int]) -> list[int] | None:
        """Real length of each sample, by which batches are sorted; None where all are equally long."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the data are: name, tier, count, shape."""
        ...

    def quality(self, log_dir: Path) -> Quality | None:
        """Score mlperf_log_accuracy.json in `log_dir` and write accuracy.txt there; None where there is no metric."""
        ...


class Task(Dataset, Protocol):
    """A benchmark whose model answers a batch at once.

    Attributes:
        columns: the model's inputs, in the order in which it takes them.
        reduction: what the backend applies to the first output on its own device before it travels back.
        response_dtype, response_width: numpy dtype and number of values of one response; width None: each its own.
    """

    columns: tuple[Column, ...]
    reduction: Reduction
    response_dtype: str
    response_width: int | None

    def load(self, indices: list[int]) -> tuple[Samples, ...]:
        """Prepared samples, one entry per column."""
        ...

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array | list[Array]:
        """Responses from a batch's outputs: (n, width) or (n,) for a fixed width, else a list of n 1-D arrays.

        Raises:
            HarnessError: kind `raised` when the backend gave another number of outputs.
        """
        ...

    def check_outputs(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        """Refuse a model whose outputs cannot be meant for these data, such as one with another number of classes.

        Args:
            shapes: of one batch's outputs before the reduction; empty where the backend does not know them.

        Raises:
            HarnessError: kind `weights`.
        """
        ...


class GenerationTask(Dataset, Protocol):
    """A benchmark whose model generates tokens; `token_dtype` is the numpy dtype of the response's tokens."""

    token_dtype: str

    def prompt(self, index: int) -> Prompt:
        """What sample `index` asks the model."""
        ...

    def encode_tokens(self, tokens: list[int], index: int) -> Array:
        """The response's payload, usually just the tokens."""
        ...


class TaskDefaults:
    """What most tasks have in common; inheriting from it is a convenience, not a duty."""

    generates: ClassVar[bool] = False
    reduction: Reduction = "none"
    response_dtype = "float32"
    response_width: int | None = 1
    token_dtype = "int32"
    scores_parts: ClassVar[bool] = False  # whether `quality_of` means anything

    def lengths(self, indices: list[int]) -> list[int] | None:
        """All samples are equally long."""
        return None

    def check_outputs(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        """Anything will do."""

    def encode_tokens(self, tokens: list[int], index: int) -> Array:
        """The tokens as they are."""
        import numpy as np

        return np.array(tokens, dtype=self.token_dtype)

    def quality(self, log_dir: Path) -> Quality | None:
        """No metric."""
        return None

    def quality_of(self, log_dir: Path, indices: Sequence[int]) -> Quality | None:
        """Like `quality`, for a log that answers these samples only (compliance test TEST01)."""
        return None


def require(condition: bool, cause: str, hint: str = "") -> None:
    """Raise HarnessError of kind `dataset` unless `condition` holds."""
    if not condition:
        raise HarnessError("dataset", cause, hint)


def require_tier(config: RunConfig, data: Tier, folder: Path | str) -> None:
    """Refuse a run that claims more than its data are (an embedded run on synthetic data, say)."""
    require(
        TIERS.index(config.tier) <= TIERS.index(data),
        f"{folder} is of tier {data!r} but the run claims {config.tier!r}",
    )


def require_outputs(outputs: Sequence[Array], expected: int) -> None:
    """Raise HarnessError of kind `raised` unless the batch's first output has one row per sample."""
    if not outputs or len(outputs[0]) != expected:
        given = len(outputs[0]) if outputs else 0
        raise HarnessError("raised", f"the backend returned {given} outputs for a batch of {expected} samples")
