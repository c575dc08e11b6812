"""One measured run per device: a lock file per device and host, held across processes."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

CPU, GPU = "cpu", "cuda:0"


def device_of(tags: str, options: dict[str, object]) -> str:
    """The device that a request names: its option, its variation, else ``auto``."""
    given = str(options.get("device") or "")
    named = {word.lstrip("_") for word in tags.split(",")} & {"cpu", "cuda"}
    return given or next(iter(sorted(named)), "auto")


def resources(device: str) -> tuple[str, ...]:
    """What a run on ``device`` must have for itself. A run that may take either takes both."""
    if device == "cuda":
        return (GPU,)
    if device == CPU or device.startswith("cuda:"):
        return (device,)
    return (CPU, GPU)


def lock_dir() -> Path:
    """Where the locks of this host and user are; never shared between hosts, and writable by nobody else."""
    folder = Path(tempfile.gettempdir()) / f"cm4bench-devices-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(13, "belongs to another user", str(folder))
    return folder


@contextlib.contextmanager
def reserved(device: str, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold ``device`` for one run; ``on_wait`` is called once where another process has it."""
    from filelock import FileLock, Timeout

    with contextlib.ExitStack() as stack:
        for name in sorted(resources(device)):
            slug = re.sub(r"[^a-z0-9]+", "-", name.lower())
            lock = FileLock(lock_dir() / f"{platform.node() or 'host'}-{slug}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                on_wait()
                lock.acquire()
            stack.callback(lock.release)
        yield
