"""What a SUT server says about itself, and how it says that it could not answer."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.backends.base import Execution

INFER = "/v1/infer"
DESCRIBE = "/v1/describe"
NAME = "/v1/name"
FRAME_TYPE = "application/octet-stream"


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The server's host, as far as a result needs it."""

    name: str
    cpu: str
    logical_cores: int
    allowed_cores: int
    memory_gib: float
    system: str
    python: str


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A server's own account. `execution` is null until it has answered its first batch.

    `backend_name` is the implementation behind it, `device` the one it was told to use, `batch_size` the most samples
    that it joins into one call.
    """

    name: str
    model: str
    architecture: str
    backend_name: str
    device: str
    batch_size: int
    weights_sha256: str | None
    model_facts: dict[str, Any]
    host: Host
    execution: Execution | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with an HTTP error status: a HarnessError of the server."""

    kind: str
    cause: str
    hint: str = ""
