"""Room on the disk: asked for before a long write, and diagnosed when it ends in the middle of one."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import CMBenchError

__all__ = ["DiskFull", "require_space", "writing_to"]


class DiskFull(CMBenchError):
    """There is no room for what is to be written."""


def require_space(folder: Path, size: int, what: str) -> None:
    """Raises DiskFull when `folder`'s file system has less than `size` bytes left for `what`."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise _disk_full(folder, f"{what} needs {_mib(size)}, {_mib(free)} are free")


@contextlib.contextmanager
def writing_to(target: Path) -> Iterator[None]:
    """Create the folder of `target`; turn the operating system's write errors into diagnosed ones."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(target.parent, f"no room while writing {target.name}") from error
        raise CMBenchError(f"cannot write {error.filename or target}: {error.strerror or error}") from error


def _disk_full(folder: Path, what: str) -> DiskFull:
    return DiskFull(f"disk full at {folder}: {what}", hint=f"free space there (df -h {folder}), then run again")


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
