"""Prepared data that can be checked: a folder carries the SHA-256 of each of its files, in the format of sha256sum."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import TrainingError

SUMS = "SHA256SUMS"
_BLOCK = 1 << 20


def seal(folder: Path) -> Path:
    """Write the sums of all files under ``folder`` into its SHA256SUMS."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(folder / name)}  {name}\n" for name in names if name != SUMS]
    target = folder / SUMS
    target.write_text("".join(lines), encoding="utf-8")
    return target


def stage(out: Path) -> Path:
    """An empty folder beside ``out`` to make its files in; what an earlier attempt left there is removed."""
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    return staging


def publish(staging: Path, out: Path) -> None:
    """Seal the files of `stage` and let ``out`` appear in one step, in place of what was there."""
    seal(staging)
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def verify(folder: Path, hint: str = "") -> int:
    """Check every file that SHA256SUMS names; the number of files, 0 for a folder without sums (the user's own data).

    Raises:
        TrainingError: kind `data`, naming the first file that is missing or differs, or the damaged list itself.
    """
    if not folder.is_dir():
        raise TrainingError("data", f"the data folder {folder} is not there", hint or f"ls {folder.parent}")
    if not (folder / SUMS).is_file():
        return 0
    checked = 0
    for digest, name in _entries(folder / SUMS):
        path = folder / name
        if not path.is_file():
            raise TrainingError("data", f"{path} is missing", hint or _again(folder))
        if sha256(path) != digest:
            raise TrainingError("data", f"{path} is damaged: it differs from its sum in {SUMS}", hint or _again(folder))
        checked += 1
    return checked


def sha256(path: Path) -> str:
    """Of a file's content; TrainingError of kind `data` where it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise TrainingError("data", f"{path} cannot be read: {error.strerror}", f"ls -l {path}") from error
    return found.hexdigest()


def _entries(sums: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(sums.read_text(encoding="utf-8").splitlines(), 1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise TrainingError("data", f"{sums}, line {number} is no checksum line", _again(sums.parent))
        yield digest, name


def _again(folder: Path) -> str:
    return f"remove {folder} and run the same command again: the data are made anew"
