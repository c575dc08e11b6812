"""What a backend must offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from harness.arrays import Array
from harness.config import RunConfig
from harness.tasks.base import Column, Reduction, Samples


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What executed, read from the objects that did it (parameters, outputs), never from the request.

    `gpu_uuid` is null on a CPU. `executed` names framework, version and the ways it ran (compiled, memory format).
    `output_shapes` are those of the first batch, before the task's reduction; empty where a backend has no model.
    """

    used: str
    executed: str
    precision: str
    residency: str
    threads: int
    gpu_uuid: str | None = None
    output_shapes: tuple[tuple[int, ...], ...] = ()


class Backend(Protocol):
    """A model on a device.

    `submit` starts the inference of a batch and returns a ticket; `collect` waits for that ticket's outputs. A backend
    without an asynchronous device computes in `submit`. Each thread that calls has at most two tickets open, collected
    in order. With `RunConfig.workers` above one, several threads call at once.
    """

    def __init__(self, config: RunConfig, reduction: Reduction) -> None: ...

    def load(self) -> dict[str, Any]:
        """Build the model on the device and return its facts.

        Raises:
            HarnessError: kind `weights` or `device`.
        """
        ...

    def stage(self, count: int, columns: tuple[Column, ...], chunks: Iterable[tuple[Samples, ...]]) -> None:
        """Take `count` samples, given in chunks, as rows 0..count-1."""
        ...

    def unstage(self) -> None:
        """Forget the staged samples."""
        ...

    def submit(self, rows: list[int], longest: int | None = None) -> Any:
        """Start inferring the staged rows; columns to be trimmed are cut to `longest`."""
        ...

    def collect(self, ticket: Any) -> tuple[Array, ...]:
        """The model's outputs after the task's reduction, in host memory."""
        ...

    def execution(self) -> Execution:
        """Valid once a batch was collected."""
        ...
