"""Trainings that a submission can be made of: the harness's record of a run, and its log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlperf_submission.errors import SubmissionError
from training_checker.logs import Run as Log

from trainer import rulesets
from trainer.errors import TrainingError
from trainer.events import log_name
from trainer.result import RESULT, SCHEMA, TrainResult
from trainer.rulesets import Ruleset

_KIND = SCHEMA.partition("/")[0]
MAKE_SOME = 'cmr "run mlperf training" makes some'


@dataclass(frozen=True)
class Run:
    """One training. ``folder`` holds its record and its log."""

    record: TrainResult
    folder: Path

    @property
    def log(self) -> Log:
        """Its log, which may be missing."""
        path = self.folder / (self.record.log or log_name(self.folder))
        return Log(path, str(path))

    @property
    def rules(self) -> Ruleset:
        """The rules of its benchmark; this project's where MLPerf has none."""
        return rulesets.of(self.record.benchmark)


@dataclass(frozen=True)
class Series:
    """The runs that are one result: of one benchmark, in the order of their seeds."""

    rules: Ruleset
    runs: tuple[Run, ...]

    @property
    def benchmark(self) -> str:
        return self.rules.benchmark

    @property
    def record(self) -> TrainResult:
        """The first run's record."""
        return self.runs[0].record


def find(places: Sequence[Path]) -> list[Run]:
    """The runs in some folders, of a run or of several.

    Raises:
        SubmissionError: where there are none, or a record cannot be read.
    """
    found = [_read(path) for path in dict.fromkeys(path for place in places for path in _records(place))]
    if not found:
        raise SubmissionError(f"there are no trainings in {', '.join(map(str, places))}", MAKE_SOME)
    return found


def _records(place: Path) -> Iterable[Path]:
    """Records of trainings in a folder; other benchmarks' records, which have the same file name, are passed over."""
    if place.is_file():
        return [place]
    found = (path for depth in ("", "*/", "*/*/") for path in place.glob(f"{depth}{RESULT}"))
    return sorted(path for path in found if _is_training(path))


def _is_training(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return True  # reading it tells what is wrong
    return isinstance(content, dict) and str(content.get("schema", "")).startswith(_KIND)


def _read(path: Path) -> Run:
    try:
        return Run(TrainResult.read(path), path.parent)
    except TrainingError as error:
        raise SubmissionError(error.cause, "give the folder of trainings: --results_dir=FOLDER") from None


def series(found: Iterable[Run]) -> list[Series]:
    """The runs by benchmark, names sorted."""
    groups: dict[Ruleset, list[Run]] = {}
    for run in found:
        groups.setdefault(run.rules, []).append(run)
    ordered = {rules: tuple(sorted(runs, key=lambda run: run.record.seed)) for rules, runs in groups.items()}
    return [Series(rules, ordered[rules]) for rules in sorted(ordered, key=lambda one: one.benchmark)]
