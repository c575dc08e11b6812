"""One training per folder at a time: the lock falls with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import TrainingError

LOCK = ".lock"


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Hold the folder; TrainingError of kind `busy` where another process trains in it, `config` where it is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        cause = f"the output folder {folder} cannot be used: {error.strerror}"
        raise TrainingError("config", cause, f"ls -ld {folder.parent}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            cause = f"another process is training in {folder}"
            raise TrainingError("busy", cause, f"wait for it, or end it: pkill -f {folder}") from error
        yield
