"""Check a submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlperf_checker import figures, roundfiles
from mlperf_checker.context import Model, ResultFolder, Submission, Submitter, System
from mlperf_checker.detaillog import parse
from mlperf_checker.findings import Finding, Scope
from mlperf_checker.folders import look
from mlperf_checker.layout import DETAIL, DIVISIONS, Layout
from mlperf_checker.powerfigure import Power, power
from mlperf_checker.reading import Files, Unreadable
from mlperf_checker.registry import apply
from mlperf_checker.report import Report, Verdict
from mlperf_checker.rules.accuracy_score import found_scores
from mlperf_checker.rules.performance import SEEDS
from mlperf_checker.table import row


def check_tree(folder: Path | str, version: str, submitter: str | None = None) -> Report:
    """Check a submission.

    Args:
        folder: holds closed/, open/ or network/.
        version: the round, as `v6.1`.
        submitter: look at this one only.

    Raises:
        HarnessError: kind `config`, for an unknown round, or a folder that is not there.
    """
    root, round_ = Path(folder), roundfiles.load(version)
    if not root.is_dir():
        from harness.errors import HarnessError

        raise HarnessError("config", f"there is no folder {root}", "give the folder that holds closed/ or open/")
    tree = look(root, None if submitter is None else (DIVISIONS, submitter))
    submission = Submission(Files(root, tree), round_, Layout.of(version))
    conduct = _Conduct(submission)
    conduct.all()
    return Report(version, tuple(conduct.verdicts), tuple(conduct.findings))


def round_of(folder: Path | str, submitter: str | None = None) -> str:
    """The round that a submission was made for: what the seeds in its first known log say, else the newest.

    Args:
        folder, submitter: as in `check_tree`.
    """
    files = Files(Path(folder), look(Path(folder), None if submitter is None else (DIVISIONS, submitter)))
    for one in files.tree.below():
        if one.path.endswith("/performance/run_1") and DETAIL in one.files:
            content = files.read(one.name_of(DETAIL))
            log = parse(b"" if isinstance(content, Unreadable) else content)
            seen = {key: log.get(f"effective_{key}") for key in SEEDS}
            if found := roundfiles.of_seeds({key: value for key, value in seen.items() if isinstance(value, int)}):
                return found.name
    return roundfiles.names()[-1]


@dataclass
class _Conduct:
    """One check on its way down the tree."""

    submission: Submission
    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    spoilt: set[Scope] = field(default_factory=set)

    def _note(self, found: Iterable[Finding]) -> None:
        for one in found:
            self.findings.append(one)
            if one.severity == "error" and one.scope is not None:
                self.spoilt.add(one.scope)

    def all(self) -> None:
        self._note(apply(self.submission, self.submission, ()))
        for one in self._submitters():
            self._note(apply(one, self.submission, one.scope))
            for name in sorted(one.results.folders) if one.results else ():
                self._system(System(one, name))

    def _submitters(self) -> Iterator[Submitter]:
        for division in DIVISIONS:
            folder = self.submission.tree.folders.get(division)
            for name in sorted(folder.folders) if folder else ():
                yield Submitter(self.submission, division, name)

    def _system(self, system: System) -> None:
        self._note(apply(system, self.submission, system.scope))
        for name in sorted(system.folder.folders) if system.folder else ():
            model = Model(system, name)
            self._note(apply(model, self.submission, model.scope))
            for scenario in sorted(model.folder.folders):
                self._result(ResultFolder(model, scenario))

    def _result(self, result: ResultFolder) -> None:
        # all that can spoil the result stands above it in the tree and is known by now
        self._note(apply(result, self.submission, result.scope))
        ok = not any(result.scope[:depth] in self.spoilt for depth in range(len(result.scope) + 1))
        self.verdicts.append(verdict(result, ok))


def verdict(result: ResultFolder, ok: bool) -> Verdict:
    """The verdict on a result, with its numbers as far as they can be read."""
    measured = power(result) if result.has_power else None
    watts = measured if isinstance(measured, Power) else None
    value, accuracy = figures.performance(result), found_scores(result)
    return Verdict(
        place=result.place,
        ok=ok,
        value=value,
        unit=figures.unit(result),
        accuracy=accuracy,
        power=watts.value if watts else None,
        power_unit=watts.unit if watts else "",
        inferred=result.is_inferred,
        row=row(result, value, accuracy) if ok else {},
    )
