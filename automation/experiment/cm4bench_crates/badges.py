"""A judgement after the ACM's badges (Artifact Review and Badging, version 1.1), with evidence and what is missing.

It is a self-test: badges are awarded by reviewers. Reproduced means here: by the same artifacts on this host.
"""

from __future__ import annotations

from dataclasses import dataclass

from cm4bench_crates.comparing import Comparison
from cm4bench_crates.replaying import Attempt
from cm4bench_crates.verification import Contents


@dataclass(frozen=True)
class Badge:
    """One badge: what speaks for it, and what is missing. Nothing missing means that its conditions hold."""

    name: str
    evidence: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all conditions hold."""
        return not self.missing


def badges(contents: Contents, attempt: Attempt, comparison: Comparison | None) -> tuple[Badge, Badge, Badge]:
    """Available, functional, reproduced."""
    return _available(contents), _functional(contents, attempt), _reproduced(attempt, comparison)


def _available(contents: Contents) -> Badge:
    """ACM: on a publicly accessible archival repository, with an identifier."""
    evidence = [f"{contents.files} files, listed with sha256 in ro-crate-metadata.json"]
    missing = list(contents.problems)
    _either(evidence, missing, bool(contents.identifier), f"identifier {contents.identifier}",
            "no identifier of an archive: deposit the crate and pack it with --identifier=DOI")  # fmt: skip
    _either(evidence, missing, bool(contents.license), f"licence {contents.license}",
            "no licence is stated: --license=SPDX-NAME when packing")  # fmt: skip
    return Badge("Artifacts Available", tuple(evidence), tuple(missing))


def _functional(contents: Contents, attempt: Attempt) -> Badge:
    """ACM: documented, consistent, complete, exercisable, with evidence of verification and validation."""
    evidence: list[str] = []
    missing: list[str] = []
    expected = ("README.md", "sbom.spdx.json", "report.html")
    absent = [name for name in expected if name not in contents.parts]
    _either(evidence, missing, not absent, f"documented: {', '.join(expected)}", f"documented: no {', '.join(absent)}")
    _either(evidence, missing, not contents.problems, "consistent: lock, facts, records and bill of materials agree",
            f"consistent: {len(contents.problems)} contradictions")  # fmt: skip
    _either(evidence, missing, not attempt.refused, f"complete: all {len(contents.lock.steps)} locked steps are here",
            f"complete: {len(attempt.refused)} things are not as locked")  # fmt: skip
    evidence += [f"accepted by whoever ran it: {line}" for line in attempt.accepted]
    ran = f"exercisable: it ran and left its results ({len(attempt.records)})"
    _either(evidence, missing, bool(attempt.records), ran, f"exercisable: {attempt.failure or 'it was not run'}")
    return Badge("Artifacts Evaluated – Functional", tuple(evidence), tuple(missing))


def _reproduced(attempt: Attempt, comparison: Comparison | None) -> Badge:
    """ACM: the main results were obtained again, within a tolerance, with the authors' artifacts."""
    if comparison is None:
        return Badge("Results Reproduced", (), ("there are no results of this host to compare",))
    evidence = tuple(str(one) for one in comparison.verdicts if one.agrees)
    missing = [str(one) for one in comparison.verdicts if not one.agrees]
    missing += [f"{name}: was not made here" for name in comparison.missing]
    missing += [*comparison.doubts, *(f"came out differently: {line}" for line in attempt.outcome)]
    if not comparison.verdicts:
        missing.append("no figure could be compared")
    return Badge("Results Reproduced", evidence, tuple(missing))


def _either(evidence: list[str], missing: list[str], holds: bool, yes: str, no: str) -> None:
    (evidence if holds else missing).append(yes if holds else no)
