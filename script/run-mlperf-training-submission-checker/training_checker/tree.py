"""A submitter's folder: systems/, results/ and benchmarks/, read lazily."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from training_checker.errors import CheckError
from training_checker.logs import Run

PARTS = ("systems", "results", "benchmarks")
SCALINGS = ("strong", "weak")
BESIDE_LOGS = ("scaling.json", "package_checker_params", "power")


@dataclass(frozen=True)
class Result:
    """The runs of one benchmark on one system; ``scaling`` is empty in training, `strong` or `weak` in hpc."""

    submission: Submission
    system: str
    benchmark: str
    folder: Path
    scaling: str = ""

    @property
    def name(self) -> str:
        return str(self.folder.relative_to(self.submission.root))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        found = sorted(self.folder.glob("result_*.txt"), key=lambda path: (len(path.name), path.name))
        return tuple(Run(path, f"{self.name}/{path.name}") for path in found)

    @property
    def others(self) -> list[str]:
        """Files and folders that are neither logs nor what may lie beside them."""
        logs = {run.path.name for run in self.runs}
        return sorted({path.name for path in self.folder.iterdir()} - logs - set(BESIDE_LOGS))

    @property
    def division(self) -> str:
        """As the system's description says; empty where it does not."""
        return str(self.submission.description(self.system).get("division") or "")


@dataclass(frozen=True)
class Submission:
    """One submitter's folder."""

    root: Path
    usage: str

    @property
    def missing(self) -> list[str]:
        return [name for name in PARTS if not (self.root / name).is_dir()]

    @cached_property
    def results(self) -> tuple[Result, ...]:
        return tuple(self._results()) if (self.root / "results").is_dir() else ()

    def _results(self) -> Iterator[Result]:
        for system in _folders(self.root / "results"):
            if self.usage != "hpc":
                yield from (Result(self, system.name, one.name, one) for one in _folders(system))
                continue
            for scaling in _folders(system):
                if scaling.name in SCALINGS:
                    yield from (Result(self, system.name, one.name, one, scaling.name) for one in _folders(scaling))

    @property
    def systems(self) -> list[str]:
        """The systems with results."""
        return [path.name for path in _folders(self.root / "results")] if (self.root / "results").is_dir() else []

    def file_of(self, system: str) -> Path:
        return self.root / "systems" / f"{system}.json"

    def description(self, system: str) -> dict[str, Any]:
        """A system's description; empty where there is none that can be read."""
        try:
            content = json.loads(self.file_of(system).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def submitters(folder: Path) -> list[Path]:
    """The submitters' folders in a folder: it itself, or those in it.

    Raises:
        CheckError: where there is none.
    """
    if not folder.is_dir():
        raise CheckError(f"there is no folder {folder}", "give the submitter's folder, which holds results/")
    if (folder / "results").is_dir() or (folder / "systems").is_dir():
        return [folder]
    if found := [path for path in _folders(folder) if (path / "results").is_dir()]:
        return found
    cause = f"{folder} holds no submission: neither it nor a folder in it has results/"
    raise CheckError(cause, "give the submitter's folder, which holds systems/, results/ and benchmarks/")


def usage_of(folder: Path) -> str:
    """`hpc` where results lie below strong/ or weak/, else `training`."""
    for root in submitters(folder):
        if any(path.name in SCALINGS for path in (root / "results").glob("*/*") if path.is_dir()):
            return "hpc"
    return "training"


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())
