"""A folder that appears whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlperf_submission.archive import MANIFEST
from mlperf_submission.errors import SubmissionError


@contextmanager
def staging(target: Path, *, replace: bool) -> Iterator[Path]:
    """An empty folder beside ``target`` that takes its name when the block ends well, and vanishes when it does not.

    What a killed packer left is cleared by the next one. Two packers of one target wait for each other.

    Raises:
        SubmissionError: where ``target`` exists and may not be replaced, or is no submission of ours.
        OSError: where nothing can be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(f".{target.name}.lock")):
        _restore(target)
        _refuse_existing(target, replace)
        for debris in target.parent.glob(f".{_escaped(target.name)}.staging-*"):
            shutil.rmtree(debris, ignore_errors=True)
        folder = target.with_name(f".{target.name}.staging-{secrets.token_hex(4)}")
        folder.mkdir()
        try:
            yield folder
            _sync(folder)
            _swap(folder, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def written_nothing(error: OSError, output: Path) -> SubmissionError:
    """What to tell when a submission could not be written below ``output``."""
    # copying a folder gathers the errors of its files, without their numbers
    gathered = error.args[0] if isinstance(error, shutil.Error) and isinstance(error.args[0], list) else []
    _, where, words = gathered[0] if gathered else ("", error.filename or output, error.strerror or str(error))
    if error.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in words:
        return SubmissionError(f"the disk is full ({where}); nothing was left behind", "free space, then once more")
    return SubmissionError(f"{where}: {words}; nothing was left behind", "--submission_dir=FOLDER")


def _escaped(name: str) -> str:
    import glob

    return glob.escape(name)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock; its file goes away with it, so whoever waited for a file that is gone takes the next one."""
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_still(path, file.fileno()):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _refuse_existing(target: Path, replace: bool) -> None:
    if not target.exists():
        return
    if not (target / MANIFEST).is_file():
        raise SubmissionError(f"{target} exists and is no submission of ours", "give another --submission_dir")
    if not replace:
        raise SubmissionError(f"{target} exists already", "--clean replaces it; or give another --submission_dir")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _restore(target: Path) -> None:
    """A packer that died between its two renames left the old submission under another name."""
    if _old(target).is_dir() and not target.exists():
        _old(target).rename(target)
    shutil.rmtree(_old(target), ignore_errors=True)


def _swap(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        return
    target.rename(_old(target))
    try:
        folder.rename(target)
    except OSError:
        _old(target).rename(target)
        raise
    shutil.rmtree(_old(target), ignore_errors=True)


def _sync(folder: Path) -> None:
    """Bring what was written to the disk before its name says that it is there."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
