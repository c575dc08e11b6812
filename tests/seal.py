"""No way out of this process: neither a process started nor a connection opened."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

__all__ = ["FORBIDDEN", "sealing"]

FORBIDDEN = [
    (subprocess, "Popen"),
    (socket, "socket"),
    (socket, "create_connection"),
    (socket, "getaddrinfo"),
    *((os, name) for name in ("system", "popen", "fork", "forkpty", "execv", "execve", "posix_spawn", "posix_spawnp")),
]


@contextlib.contextmanager
def sealing() -> Iterator[None]:
    """Within, whoever starts a process or opens a socket fails the test."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in FORBIDDEN:
            patch.setattr(module, name, _refuse(f"{module.__name__}.{name}"))
        yield


def _refuse(name: str) -> Callable[..., None]:
    def refused(*arguments: object, **options: object) -> None:
        raise AssertionError(f"a sealed process called {name}")

    return refused
