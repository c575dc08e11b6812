"""A report as text: what is wrong first, the same thing about several files once, counts last."""

from __future__ import annotations

from collections.abc import Iterator

from mlperf_checker.findings import Finding
from mlperf_checker.report import Report

_PATHS, _GROUPS = 3, 30


def lines(report: Report, *, everything: bool = False) -> Iterator[str]:
    """Lines for people.

    Args:
        everything: all findings and paths; without it, what fits on some screens.
    """
    groups = _grouped(report)
    shown = groups if everything else groups[:_GROUPS]
    for findings in shown:
        yield from _group(findings, len(findings) if everything else _PATHS)
    if len(shown) < len(groups):
        yield f"… and {len(groups) - len(shown)} more kinds of findings; --all shows them, --json FILE keeps them"
    yield report.counts


def _grouped(report: Report) -> list[list[Finding]]:
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for one in (*report.errors, *report.warnings):
        groups.setdefault((one.severity, one.rule, one.cause), []).append(one)
    return list(groups.values())


def _group(findings: list[Finding], limit: int) -> Iterator[str]:
    first = findings[0]
    yield f"{first.severity}: {first.cause} → {first.remedy} [{first.rule}]"
    yield from (f"    {one.path}" for one in findings[:limit])
    if len(findings) > limit:
        yield f"    … and {len(findings) - limit} more"
