"""The code of a submission: the harness and the packages that it loaded, and a README for each model."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlperf_submission import texts
from mlperf_submission.results import Result

HARNESS = Path(__file__).parents[2] / "app-mlperf-inference" / "harness"
_KEPT = (".py", ".yaml", ".json", ".txt", ".md", ".cc", ".h", ".sh")
_LEFT_OUT = ("__pycache__", "node_modules")


@dataclass(frozen=True)
class Sources:
    """The folder src/ (code/ up to v5.1)."""

    folder: Path

    def packages(self, results: Iterable[Result]) -> list[str]:
        """Copy what the runs loaded; returns the names of the folders."""
        found = {HARNESS.name: HARNESS}
        for result in results:
            for name, path in _loaded(result):
                found.setdefault(name, path)
        for name, path in found.items():
            shutil.copytree(path, self.folder / name, ignore=_ignored, copy_function=shutil.copyfile)
        return list(found)

    def model(self, name: str, commands: Sequence[str], packages: Sequence[str], lock: Path | None) -> None:
        """README and lock of one model."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if lock:
            shutil.copyfile(lock, folder / "lock.json")
        page = texts.code_readme(name, commands, packages, "lock.json" if lock else "")
        (folder / "README.md").write_text(page, encoding="utf-8")


def _loaded(result: Result) -> Iterable[tuple[str, Path]]:
    """Packages that the configuration names by dotted paths, where they can be found."""
    config = result.configuration
    dotted = [config.get("task"), config.get("backend"), (config.get("model") or {}).get("architecture")]
    for name in {str(one).partition(".")[0].partition(":")[0] for one in dotted if one and ":" in str(one)}:
        for folder in map(Path, config.get("task_path") or ()):
            if (folder / name).is_dir():
                yield name, folder / name


def _ignored(folder: str, names: list[str]) -> list[str]:
    """What is no source: compiled files, hidden files, anything a submission may not hold."""
    return [
        name
        for name in names
        if name in _LEFT_OUT
        or name.startswith(".")
        or " " in name
        or not ((Path(folder) / name).is_dir() or name.endswith(_KEPT))
    ]
