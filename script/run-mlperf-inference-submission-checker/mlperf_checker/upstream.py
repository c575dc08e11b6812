"""Upstream's checker beside ours: run it on the same submission, and tell where the verdicts differ.

It is run as it lies in a checkout of mlcommons/inference, in a process of its own. Nothing of it is imported.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlperf_checker.layout import SCENARIOS, Place
from mlperf_checker.report import Report

_CLOSE = 1e-6


@dataclass(frozen=True)
class Theirs:
    """What upstream's checker said.

    Attributes:
        results: submitted number of each result that it passes.
        crashed: it ended with a traceback; the results are those before that, mostly none.
        last_line: of its output.
        seconds: that it took.
    """

    results: dict[Place, str]
    crashed: bool
    last_line: str
    seconds: float


def run(checkout: Path, submission: Path, version: str, submitter: str | None = None) -> Theirs:
    """Run upstream's checker.

    Args:
        checkout: of mlcommons/inference, or one of its checkers' files.
        submission, version, submitter: as in `check_tree`.

    Raises:
        HarnessError: kind `config`, where there is no checker.
    """
    command, where = _command(checkout)
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch, "summary.csv")
        command += ["--input", str(submission.resolve()), "--version", version, "--csv", str(table)]
        command += ["--submitter", submitter] if submitter else []
        begin = time.monotonic()
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, errors="replace", check=False)
        seconds = time.monotonic() - begin
        output = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
        crashed = any(line.startswith("Traceback") for line in output)
        return Theirs(_results(table), crashed, output[-1] if output else "no output", seconds)


def _command(checkout: Path) -> tuple[list[str], Path]:
    tools = checkout.resolve() / "tools" / "submission"
    if checkout.is_file():
        return [sys.executable, str(checkout.resolve())], checkout.resolve().parent
    if (tools / "submission_checker" / "main.py").is_file():
        return [sys.executable, "-m", "submission_checker.main"], tools
    if (tools / "submission_checker.py").is_file():
        return [sys.executable, str(tools / "submission_checker.py")], tools
    from harness.errors import HarnessError

    remedy = "git clone https://github.com/mlcommons/inference, and give its folder"
    raise HarnessError("config", f"there is no submission checker in {checkout}", remedy)


def _results(table: Path) -> dict[Place, str]:
    found: dict[Place, str] = {}
    if table.is_file():
        with table.open(encoding="utf-8", errors="replace", newline="") as file:
            for one in csv.DictReader(file):
                names = ("Division", "Organization", "Platform", "Model", "Scenario")
                place = Place(*(str(one.get(name)) for name in names))
                found.setdefault(place, str(one.get("Result")))
    return found


def differences(report: Report, theirs: Theirs) -> Iterator[str]:
    """One line for each result that is judged in another way, with our reason."""
    ours = {_usual(one.place): one for one in report.verdicts}
    passed = {_usual(place): value for place, value in theirs.results.items()}
    for place in sorted({*ours, *passed}, key=str):
        mine, value = ours.get(place), passed.get(place)
        if mine is None or mine.ok != (value is not None):
            reasons = sorted({one.rule for one in report.of(mine.place)}) if mine else []
            said = "passes" if mine and mine.ok else f"fails ({', '.join(reasons) or 'not seen'})"
            yield f"{place}: ours {said}, upstream {'fails' if value is None else 'passes'}"
        elif mine.ok and value is not None and not _close(mine.value, value):
            yield f"{place}: ours {mine.value}, upstream {value}"


def _usual(place: Place) -> Place:
    """Scenarios may be written small in folders; upstream's table of v4.1 has their official names."""
    official = {name.lower(): name for name in SCENARIOS}
    return replace(place, scenario=official.get(place.scenario.lower(), place.scenario))


def _close(ours: float | None, theirs: str) -> bool:
    try:
        return ours is not None and abs(ours - float(theirs)) <= _CLOSE * abs(ours)
    except ValueError:
        return False


def lines(report: Report, theirs: Theirs, seconds: float) -> Iterator[str]:
    """The comparison for people, counts last."""
    different = list(differences(report, theirs))
    yield from different
    yield f"upstream: {theirs.last_line}"
    if theirs.crashed:
        yield "upstream's checker ended with a traceback: what it did not get to counts as failed"
    good = sum(one.ok for one in report.verdicts)
    yield (
        f"{len(different)} differences; ours passes {good} in {seconds:.1f} s, "
        f"upstream {len(theirs.results)} in {theirs.seconds:.1f} s"
    )
