"""Samples that lie in files, one or many to a file, and what can be wrong with such files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.task import Setup

if TYPE_CHECKING:
    import torch

Key = TypeVar("Key")
Sample = TypeVar("Sample")
#: samples that fit are read once and kept
KEEP_BYTES = 1 << 30


def data_folder(setup: Setup, wanted: str, flag: str) -> Path:
    """The folder of the task's data, checked against its sums; TrainingError tells what should be in it."""
    if setup.data is None:
        raise TrainingError("data", f"this task needs a folder with {wanted}", flag)
    verify(setup.data)
    return setup.data


def files_of(folder: Path, pattern: str) -> list[Path]:
    """The files of one part of a data set, in the order of their names; TrainingError where there is none."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise TrainingError("data", f"{folder} has no {pattern}", f"ls {folder}")
    return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever a reader's library raises becomes a TrainingError that names the file."""
    try:
        yield
    except TrainingError:
        raise
    except Exception as error:  # each library has its own exceptions, and none of them names the file
        told = str(error).strip().splitlines()
        cause = f"{path} cannot be read: {told[0][:200] if told else type(error).__name__}"
        raise TrainingError("data", cause, f"ls -l {path}, or get it anew") from error


class Stored(Generic[Key, Sample]):
    """A split whose samples are read when they are asked for, and kept where all of them need less than 1 GiB.

    ``read`` gives one sample of a key, ``join`` makes a batch, ``bytes_each`` is what one sample takes in memory.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        read: Callable[[Key], Sample],
        join: Callable[[list[Sample]], Any],
        bytes_each: int,
    ) -> None:
        self._keys, self._read, self._join = keys, read, join
        self._kept: dict[int, Sample] | None = {} if len(keys) * bytes_each <= KEEP_BYTES else None

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Sample:
        if self._kept is None:
            return self._read(self._keys[index])
        if index not in self._kept:
            self._kept[index] = self._read(self._keys[index])
        return self._kept[index]

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> Any:
        """The samples at ``indices``, joined."""
        return self._join([self[index] for index in indices])
