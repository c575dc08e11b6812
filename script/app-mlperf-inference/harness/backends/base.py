"""What a backend must offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from harness.arrays import Array
from harness.config import RunConfig
from harness.tasks.base import Reduction


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What executed, read from the objects that did it (parameters, outputs), never from the request.

    `gpu_uuid` is null on a CPU. `executed` names framework, version and the ways it ran (compiled, memory format).
    """

    used: str
    executed: str
    precision: str
    residency: str
    threads: int
    gpu_uuid: str | None = None


class Backend(Protocol):
    """A model on a device.

    `submit` starts the inference of a batch and returns a ticket; `collect` waits for that ticket's outputs. A backend
    without an asynchronous device computes in `submit`. At most two tickets are open at a time, collected in order.
    """

    def __init__(self, config: RunConfig, reduction: Reduction) -> None: ...

    def load(self) -> dict[str, Any]:
        """Build the model on the device and return its facts.

        Raises:
            HarnessError: kind `weights` or `device`.
        """
        ...

    def stage(self, count: int, shape: tuple[int, ...], chunks: Iterable[Array]) -> None:
        """Take `count` samples, given as float32 chunks of shape (n, *shape), as rows 0..count-1."""
        ...

    def unstage(self) -> None:
        """Forget the staged samples."""
        ...

    def warm_up(self, batches: int, batch_size: int, shape: tuple[int, ...]) -> None:
        """Run whole batches of zeros through the model."""
        ...

    def submit(self, rows: list[int]) -> Any:
        """Start inferring the staged rows."""
        ...

    def collect(self, ticket: Any) -> Array:
        """Outputs after the task's reduction, one row per sample."""
        ...

    def execution(self) -> Execution:
        """Valid after `warm_up`."""
        ...
