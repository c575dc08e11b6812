"""Where bytes that arrive are reported to, so that downloads need not know who is watching."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

__all__ = ["Sink", "report", "reporting", "throttled"]

Sink = Callable[[int, "int | None"], None]
_sink: ContextVar[Sink | None] = ContextVar("cm4bench_transfer_sink", default=None)


def report(done: int, total: int | None) -> None:
    """Tell whoever watches: `done` of `total` bytes (None: not known) have arrived."""
    sink = _sink.get()
    if sink is not None:
        sink(done, total)


@contextlib.contextmanager
def reporting(sink: Sink) -> Iterator[None]:
    """Send reports made inside to `sink`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def throttled(sink: Sink, seconds: float = 0.2) -> Sink:
    """A sink that passes on at most one report per interval, and always the last one of a known total."""
    last = 0.0

    def pass_on(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= seconds or done == total:
            last = now
            sink(done, total)

    return pass_on
