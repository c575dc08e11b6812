"""What a check found: a verdict for each result, and all findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlperf_checker.findings import Finding
from mlperf_checker.layout import Place


@dataclass(frozen=True)
class Verdict:
    """One result.

    Attributes:
        place: which one.
        ok: it can be submitted as it is.
        value, unit: the submitted number; None where the log lacks it.
        accuracy: metrics as accuracy.txt has them.
        power, power_unit: None without power.
        inferred: computed from a run of another scenario.
        row: the row of the summary table, by column.
    """

    place: Place
    ok: bool
    value: float | None
    unit: str
    accuracy: Mapping[str, str] = field(default_factory=dict)
    power: float | None = None
    power_unit: str = ""
    inferred: bool = False
    row: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A checked submission.

    Attributes:
        round: the rules that it was checked by.
        verdicts: one for each result, in the order of the tree.
        findings: errors and warnings, in the order of the tree.
    """

    round: str
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "warning")

    @property
    def ok(self) -> bool:
        """Nothing stands against submitting it."""
        return not self.errors

    def of(self, place: Place) -> tuple[Finding, ...]:
        """The findings that spoil a result."""
        parts = (place.division, place.submitter, place.system, place.benchmark, place.scenario)
        return tuple(one for one in self.findings if one.spoils(parts))

    @property
    def counts(self) -> str:
        """One line: how many of what."""
        good = sum(one.ok for one in self.verdicts)
        with_power = sum(one.ok and one.power is not None for one in self.verdicts)
        rules = Counter(one.rule for one in self.errors)
        return (
            f"{self.round}: {good} of {len(self.verdicts)} results can be submitted ({with_power} with power), "
            f"{len(self.errors)} errors of {len(rules)} kinds, {len(self.warnings)} warnings"
        )
