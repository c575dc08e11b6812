"""Where trainings lie: ``…/<name>/run_<i>/result.json``, at any depth below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cm4bench_trainings.record import Training, TrainingError, is_training, loads

RESULT = "result.json"
CONFIG = "config.json"
# A result has some 10 kB; anything of this size is none.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Broken:
    """A folder that looks like a training's and gave no result, with the reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class Found:
    """All trainings below a folder, by path, and what could not be read."""

    trainings: tuple[Training, ...]
    broken: tuple[Broken, ...]


def find(root: Path) -> Found:
    """Read all trainings below ``root``, which may be a run's own folder.

    Raises:
        TrainingError: there is no such folder, or no training in it.
    """
    if not root.is_dir():
        raise TrainingError(
            f"there is no folder {root}", "--results_dir=FOLDER names the folder of a training, or of several"
        )
    trainings: list[Training] = []
    broken: list[Broken] = []
    for folder in _folders(root):
        try:
            trainings += _read(folder, root)
        except (TrainingError, OSError) as error:
            broken.append(Broken(str(folder), str(error)))
    if not (trainings or broken):
        raise TrainingError(f"no training in {root}", 'cmr "run mlperf-lite" makes one; --results_dir=FOLDER')
    return Found(tuple(trainings), tuple(broken))


def _folders(root: Path) -> Iterator[Path]:
    """Folders with a result, or with traces of a training; links are not followed, for a loop would have no end."""
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if RESULT in names or (CONFIG in names and _is_configured(Path(place, CONFIG))):
            folders.clear()  # below a run there are only its own files
            yield Path(place)


def _is_configured(path: Path) -> bool:
    """Whether a config.json is a training's: only these have a recipe."""
    try:
        return path.stat().st_size < _MAX_BYTES and b'"recipe"' in path.read_bytes()
    except OSError:
        return False


def _read(folder: Path, root: Path) -> Iterator[Training]:
    path = folder / RESULT
    if not path.is_file():
        raise TrainingError("it has no result.json: the training is still running, or was ended from outside")
    if path.stat().st_size > _MAX_BYTES:
        raise TrainingError(f"its result.json has {path.stat().st_size:,} bytes, too many for a result")
    content = path.read_bytes()
    if is_training(content):
        yield loads(content, path, _name(folder, root))
    elif _is_configured(folder / CONFIG):
        raise TrainingError("its result.json is no training result")


def _name(folder: Path, root: Path) -> str:
    """The way from ``root``; a run's own folder is called by its last two names."""
    return str(folder.relative_to(root)) if folder != root else "/".join(folder.parts[-2:])
