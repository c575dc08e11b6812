"""Results with power."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from mlperf_checker.context import ResultFolder
from mlperf_checker.findings import severity
from mlperf_checker.layout import POWER_FILES, POWER_RUN_FILES
from mlperf_checker.powerfigure import power
from mlperf_checker.registry import Objection, rule
from mlperf_checker.rules.log import listed, whole

_POWER_PACKAGE = Path(__file__).parents[3] / "run-mlperf-power-server"


@rule("power-files", ResultFolder)
def power_files(result: ResultFolder) -> Iterable[Objection]:
    """The folders power and ranging hold what the power client leaves."""
    if result.has_power:
        yield from listed(result, result.submission.layout.power(result.place), POWER_FILES)
        yield from listed(result, result.ranging.path, POWER_RUN_FILES)


@rule("power-ranging", ResultFolder)
def power_ranging(result: ResultFolder) -> Iterable[Objection]:
    """The log of the ranging run is whole."""
    if result.has_power:
        yield from whole(result.ranging, "PerformanceOnly")


@rule("power-figure", ResultFolder)
def power_figure(result: ResultFolder) -> Iterable[Objection]:
    """There are samples of the analyzer inside the measured window."""
    if not result.has_power:
        return
    found = power(result)
    if isinstance(found, str):
        yield Objection(
            result.performance.path / "spl.txt", found, "repeat the power measurement, with synchronised clocks"
        )


@rule("power-measurement", ResultFolder)
def power_measurement(result: ResultFolder) -> Iterable[Objection]:
    """The measurement itself keeps the power rules: analyzer, clocks, ranges, uncertainty."""
    if not result.has_power:
        return
    folder = result.submission.layout.results(result.place) / "performance"
    checks = _power_checks()
    if checks is None:
        cause = "the power measurement itself was not checked: its rules are not installed here"
        yield Objection(folder, cause, 'cmr "check mlperf power" --input=FOLDER', severity="warning")
        return
    root = result.submission.files.root
    for one in checks(root / folder, result.submission.round.name):
        weight = severity(severe=one.severity != "warning")
        # its paths are as ours was given, below the root
        path = Path(one.path)
        shown = path.relative_to(root) if path.is_relative_to(root) else folder / path
        yield Objection(str(shown), f"{one.cause} ({one.rule})", one.remedy, severity=weight)


def _power_checks() -> Any:
    """`check(folder, round)` of the package that measures power, None where it is not there."""
    for path in ("", str(_POWER_PACKAGE)):
        if path and path not in sys.path:
            sys.path.append(path)
        with suppress(ImportError, AttributeError):
            return import_module("mlperf_power").check
    return None
