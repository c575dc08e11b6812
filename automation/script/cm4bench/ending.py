"""Ending what a step started: a native script and everything below it, also where the engine is told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from subprocess import Popen
from typing import Any

__all__ = ["end_tree", "told_to_stop"]


@contextlib.contextmanager
def told_to_stop() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that locks are released and nothing goes on alone; main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_tree(child: Popen[Any]) -> None:
    """Send SIGTERM to a process and its descendants, and wait for it. bash alone would leave its commands behind."""
    for pid in _descendants(child.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    child.terminate()
    child.wait()


def _descendants(pid: int) -> list[int]:
    """Youngest generation last; empty where the kernel does not tell (it is Linux that does)."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return children + [below for one in children for below in _descendants(one)]


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
