"""The server's three addresses: infer, describe, name."""

from __future__ import annotations

import asyncio
import platform
import sys
import traceback
from typing import TYPE_CHECKING, Any

import msgspec

from harness import device
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.network import frame as frames
from harness.network.batcher import Batcher, Job
from harness.network.messages import DESCRIBE, FRAME_TYPE, INFER, NAME, Description, Host, Refusal

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_BYTES = 4 << 30  # of one request


def build(description: Description, batcher: Batcher) -> Starlette:
    """The web application around a loaded model."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    async def infer(request: Request) -> Response:
        try:
            outputs = await _answer(batcher, frames.decode(await _body(request)))
        except Exception as error:
            return _refuse(error)
        header = frames.Header(len(outputs[0]) if outputs else 0, tuple(frames.part_of(one) for one in outputs))
        buffers, _ = frames.encode(header, outputs)
        return Response(b"".join(buffers), media_type=FRAME_TYPE)

    async def describe(request: Request) -> Response:
        now = msgspec.structs.replace(description, execution=batcher.execution)
        return Response(msgspec.json.encode(now), media_type="application/json")

    async def name(request: Request) -> Response:
        return PlainTextResponse(description.name)

    return Starlette(
        routes=[Route(INFER, infer, methods=["POST"]), Route(DESCRIBE, describe), Route(NAME, name)],
    )


async def _body(request: Request) -> bytearray:
    """The whole request in memory that can be written, since torch wants to share it."""
    size = int(request.headers.get("content-length", "-1"))
    if not 0 <= size <= _MOST_BYTES:
        raise HarnessError("network", f"a request must say its length, at most {_MOST_BYTES} bytes, not {size}")
    body, filled = bytearray(size), 0
    async for chunk in request.stream():
        body[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    return body


async def _answer(batcher: Batcher, frame: frames.Frame) -> tuple[Any, ...]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[tuple[Any, ...]] = loop.create_future()

    def settle(action: Any, value: Any) -> None:
        loop.call_soon_threadsafe(lambda: None if future.done() else action(value))

    batcher.put(
        Job(frame, lambda outputs: settle(future.set_result, outputs), lambda error: settle(_fail(future), error))
    )
    return await future


def _fail(future: asyncio.Future[Any]) -> Any:
    # KeyboardInterrupt and its like cannot travel through a future.
    return lambda error: future.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))


def _refuse(error: Exception) -> Response:
    from starlette.responses import Response

    traceback.print_exception(error)
    if isinstance(error, HarnessError):
        refusal = Refusal(kind=error.kind, cause=error.cause, hint=error.hint)
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        refusal = Refusal(kind="raised", cause=f"the backend raised {type(error).__name__}: {error} ({place})")
    return Response(msgspec.json.encode(refusal), 500, media_type="application/json")


def describe_host() -> Host:
    """Facts of this machine."""
    import psutil

    return Host(
        name=platform.node(),
        cpu=device.cpu_model(),
        logical_cores=psutil.cpu_count() or 0,
        allowed_cores=len(device.allowed_cores()),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=platform.platform(),
        python=platform.python_version(),
    )


def describe(config: RunConfig, model_facts: dict[str, Any], name: str) -> Description:
    """What the server says of itself."""
    plain = msgspec.json.decode(msgspec.json.encode(model_facts, enc_hook=str))
    return Description(
        name=name,
        model=config.model.name,
        architecture=config.model.architecture,
        backend_name=config.backend,
        device=config.device,
        batch_size=config.batch_size,
        weights_sha256=plain.get("weights_sha256"),
        model_facts=plain,
        host=describe_host(),
    )


def started(address: str) -> None:
    """The one line that says where the server listens, for people and for scripts."""
    print(f"SUT server: {address}", flush=True)
    sys.stderr.flush()
