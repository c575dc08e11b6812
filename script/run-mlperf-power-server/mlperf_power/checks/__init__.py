"""Is what a measurement left fit for submission? The eleven checks of power-dev's check.py, and some of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mlperf_power.checks import analyzers, ptdlog, records, times
from mlperf_power.checks.evidence import Evidence, Side, read_side
from mlperf_power.checks.finding import Finding, Severity
from mlperf_power.errors import PowerError
from mlperf_power.loadgenlogs import DETAIL, Window, read_window
from mlperf_power.rounds import NEWEST, facts

__all__ = ["RULES", "Finding", "Severity", "check"]

Rule = Callable[[Evidence], Iterator[Finding]]
# In the order of check.py; `count` and parts of `identity`, `times` and `ptdlog` are ours.
RULES: tuple[Rule, ...] = (
    records.sources,
    analyzers.identity,
    analyzers.replies,
    analyzers.count,
    records.uuids,
    records.session_name,
    times.phases,
    times.within_phases,
    times.alike,
    records.messages,
    records.results,
    ptdlog.log,
    analyzers.config,
    records.debug,
)


def check(folder: Path, round_version: str = NEWEST) -> list[Finding]:
    """All objections to a measurement: a folder with power/, ranging/ and run_1/. An empty list is a pass.

    Raises:
        PowerError: no power rules of that round are known.
    """
    rules_of_round = facts(round_version)
    findings: list[Finding] = []
    client, server = (_side(folder / "power" / f"{role}.json", findings) for role in ("client", "server"))
    windows = {name: found for name in ("ranging", "run_1") if (found := _window(folder / name, findings))}
    if client is None or server is None:
        return findings
    evidence = Evidence(folder, rules_of_round, client, server, windows)
    try:
        return findings + [finding for rule in RULES for finding in rule(evidence)]
    except OSError as error:
        cause = f"cannot be read: {error.strerror}"
        return [*findings, Finding("files", "error", str(error.filename), cause, "give read permission; measure again")]


def _side(path: Path, findings: list[Finding]) -> Side | None:
    try:
        return read_side(path)
    except PowerError as error:
        findings.append(Finding("records", "error", str(path), error.cause, "measure again"))
        return None


def _window(folder: Path, findings: list[Finding]) -> Window | None:
    try:
        return read_window(folder / DETAIL)
    except PowerError as error:
        findings.append(Finding("window", "error", str(folder / DETAIL), error.cause, error.hint or "measure again"))
        return None
