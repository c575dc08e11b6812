"""A report as text: what is wrong first, the same thing about several files once, counts last."""

from __future__ import annotations

from collections.abc import Iterator

from mlperf_checker.findings import Finding

from training_checker.report import Report

_PATHS, _GROUPS = 3, 12


def lines(report: Report, *, everything: bool = False) -> Iterator[str]:
    """Lines for people: one screen, or all of it."""
    groups = _grouped(report)
    shown = groups if everything else groups[:_GROUPS]
    for group in shown:
        first, limit = group[0], len(group) if everything else _PATHS
        yield f"{first.severity}: {first.cause} → {first.remedy} [{first.rule}]"
        yield from (f"    {one.path}" for one in group[:limit])
        if len(group) > limit:
            yield f"    … and {len(group) - limit} more"
    if len(shown) < len(groups):
        yield f"… and {len(groups) - len(shown)} more kinds of findings; --all_findings shows them"
    for row in report.rows:
        minutes = "no score" if row.minutes is None else f"{row.minutes:.4g} minutes"
        note = f" ({row.score.why_not})" if row.score.why_not else ""
        yield f"{row.system} {row.benchmark}: {minutes} of {row.score.runs} runs{note}"
    yield report.counts


def _grouped(report: Report) -> list[list[Finding]]:
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for one in sorted(report.findings, key=lambda finding: finding.severity):
        groups.setdefault((one.severity, one.rule, one.cause), []).append(one)
    return list(groups.values())
