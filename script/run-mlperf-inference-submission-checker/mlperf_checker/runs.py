"""One finished run against the rules, before anything is packed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlperf_checker import roundfiles
from mlperf_checker.context import Model, ResultFolder, Submission, Submitter, System
from mlperf_checker.detaillog import parse
from mlperf_checker.findings import Finding
from mlperf_checker.folders import Folder, look
from mlperf_checker.layout import DETAIL, Layout, Place
from mlperf_checker.reading import Files, Unreadable
from mlperf_checker.registry import apply

PERFORMANCE_RULES = frozenset(
    (
        "early-stopping",
        "equal-issue",
        "figure",
        "duration",
        "latency-limit",
        "loadgen-errors",
        "offline-samples",
        "performance-log",
        "performance-samples",
        "query-count",
        "result-invalid",
        "run-scenario",
        "seeds",
        "summary-mismatch",
        "token-latencies",
        "token-times",
    )
)
ACCURACY_RULES = frozenset(
    (
        "accuracy-extra-files",
        "accuracy-loadgen-errors",
        "accuracy-log",
        "accuracy-metric",
        "accuracy-samples",
        "accuracy-target",
        "accuracy-text",
    )
)


@dataclass(frozen=True)
class _OneFolder(Files):
    """A run's folder, seen at the place that it would have in a submission."""

    place: PurePosixPath

    def read(self, path: PurePosixPath | str, limit: int = 1 << 28) -> bytes | Unreadable:
        if PurePosixPath(path).is_relative_to(self.place):
            inside = PurePosixPath(path).relative_to(self.place)
            own = self.tree.at(self.place)
            return Files(self.root, own or Folder("")).read(inside, limit)
        return Unreadable("it is missing", missing=True)


def check_run(
    folder: Path | str, benchmark: str, scenario: str, round: str, division: str = "closed"
) -> tuple[Finding, ...]:
    """What the rules say about one loadgen run. Cheap: the log is read once, nothing else but accuracy.txt.

    Args:
        folder: holds mlperf_log_detail.txt; its mode says which rules are asked.
        benchmark: the checker's name, as `bert-99`.
        scenario: as `Offline`.
        round: as `v6.1`.
        division: closed, open or network.

    Raises:
        HarnessError: kind `config`, for an unknown round.
    """
    root, rules = Path(folder), roundfiles.load(round)
    seen = look(root)
    content = Files(root, seen).read(DETAIL)
    if isinstance(content, Unreadable):
        cause = f"the run has no detail log: {content.why}"
        return (Finding("performance-log", "error", str(root / DETAIL), cause, "run again, to the end", ()),)
    is_accuracy = parse(content).text("effective_test_mode") == "AccuracyOnly"
    place = Place(division, "submitter", "system", benchmark, scenario)
    layout = Layout.of(round)
    where = layout.accuracy(place) if is_accuracy else layout.performance(place)
    submission = Submission(_OneFolder(root, _rooted(seen, where), where), rules, layout)
    model = Model(System(Submitter(submission, division, place.submitter), place.system), benchmark)
    result = ResultFolder(model, scenario)
    names = ACCURACY_RULES if is_accuracy else PERFORMANCE_RULES
    found = [
        *apply(model, submission, model.scope, frozenset(("benchmark-unknown",))),
        *apply(result, submission, result.scope, names),
    ]
    return tuple(replace(one, path=_actual(one.path, where, root)) for one in found)


def _rooted(folder: Folder, where: PurePosixPath) -> Folder:
    """A tree that has a folder at a place and nothing else."""
    top = here = Folder("")
    for part in where.parent.parts:
        here.folders[part] = Folder(here.name_of(part))
        here = here.folders[part]
    here.folders[where.name] = folder
    return top


def _actual(path: str, where: PurePosixPath, root: Path) -> str:
    shown = PurePosixPath(path)
    return str(root / shown.relative_to(where)) if shown.is_relative_to(where) else path
