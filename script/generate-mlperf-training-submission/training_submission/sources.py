"""The code of a submission: the harness, and the package of the task that it trained."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from training_submission.runs import Series

HARNESS = Path(__file__).parents[2] / "app-mlperf-training" / "trainer"
_KEPT = (".py", ".yaml", ".yml", ".json", ".toml", ".txt", ".md", ".sh")


def copy(one: Series, folder: Path) -> list[str]:
    """Copy the code of a benchmark into ``folder``; returns the names of what was copied."""
    found = {HARNESS.name: HARNESS, **dict(_task(one))}
    for name, path in found.items():
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=_ignored, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(path, folder / name)
    return list(found)


def _task(one: Series) -> Iterator[tuple[str, Path]]:
    """The package or module that the configuration names by a dotted path, where it can be found."""
    config = one.record.config
    name = config.task.partition(":")[0].partition(".")[0]
    for place in (*map(Path, config.task_path), HARNESS.parent):
        for path in (place / name, place / f"{name}.py"):
            if path.exists() and path != HARNESS:
                yield path.name, path
                return


def _ignored(folder: str, names: list[str]) -> list[str]:
    """What is no source: compiled files, hidden files, anything a submission may not hold."""
    return [
        name
        for name in names
        if name == "__pycache__"
        or name.startswith(".")
        or " " in name
        or not ((Path(folder) / name).is_dir() or name.endswith(_KEPT))
    ]
