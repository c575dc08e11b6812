"""What a check found: the scores, the findings, and what upstream says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mlperf_checker.findings import Finding

from trainer.olympic import Score


@dataclass(frozen=True)
class Row:
    """One result: the runs of a benchmark on a system.

    Attributes:
        scale: factor for convergence that is faster than the reference's (scaling.json).
        score: of the runs; with weak scaling there is none.
    """

    submitter: str
    system: str
    benchmark: str
    division: str
    score: Score
    scale: float = 1.0

    @property
    def minutes(self) -> float | None:
        """Time to train as results state it."""
        return None if self.score.seconds is None else self.score.seconds / 60 * self.scale


@dataclass(frozen=True)
class Report:
    """A checked submission or log.

    Attributes:
        ruleset: as `training 4.0.0`, or `own`.
        findings: errors and warnings, in the order of the tree.
        rows: the results.
        upstream: what mlperf-logging's package checker said, line by line; empty where it was not asked.
        accepted: it said that there are no errors; None where it was not asked.
    """

    ruleset: str
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...] = ()
    upstream: tuple[str, ...] = ()
    accepted: bool | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def ok(self) -> bool:
        return not self.errors

    @property
    def counts(self) -> str:
        """One line: how many of what."""
        kinds = Counter(one.rule for one in self.errors)
        warnings = len(self.findings) - len(self.errors)
        said = {None: "", True: "; package_checker: no errors", False: "; package_checker: errors"}[self.accepted]
        return f"{self.ruleset}: {len(self.errors)} errors of {len(kinds)} kinds, {warnings} warnings{said}"
