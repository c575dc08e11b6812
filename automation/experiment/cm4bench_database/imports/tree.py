"""A results tree (closed/, open/, network/) of any layout, checked by the rules of its round where these are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cm4bench_database.errors import DatabaseError
from cm4bench_database.imports import checker, official, oldtree
from cm4bench_database.imports.found import Found
from cm4bench_database.row import Row

if TYPE_CHECKING:
    from mlperf_checker.context import ResultFolder, Submission
    from mlperf_checker.report import Verdict

DIVISIONS = ("closed", "open", "network")
_ROUND = re.compile(r"(?<![\d.])v?(\d\.\d)(?![\d.])")
_LINKS = {
    "link-outside": "the link leads out of the tree and was not followed",
    "link-loop": "the link leads to a folder that it lies in",
    "link-broken": "the link leads nowhere",
    "not-a-file": "it is neither a file nor a folder",
    "unreadable": "it may not be read",
    "too-deep": "it lies too deep",
}
ENDPOINTS = "an MLPerf endpoints result (HTTP harness): recognised, its figures are not read"


def is_tree(folder: Path) -> bool:
    """Whether a folder looks like a results tree."""
    return any(next((folder / one).glob("*/results"), None) is not None for one in DIVISIONS)


def read(folder: Path, round_: str = "") -> Found:
    """All results of a tree, those that break rules as not valid.

    Args:
        folder: holds closed/, open/ or network/.
        round_: as ``v4.1``; without it, what the seeds in the logs say, else the folder's name.

    Raises:
        DatabaseError: nothing tells the round.
    """
    checker.load()
    from mlperf_checker import conduct, roundfiles
    from mlperf_checker.folders import look
    from mlperf_checker.reading import Files

    version = round_ or _round(folder)
    if version not in roundfiles.names():
        return oldtree.read(folder, version)
    report = conduct.check_tree(folder, version)
    submission = _submission(Files(folder, look(folder)), version)
    found = Found(f"results tree of {version}")
    rows = [row for one in report.verdicts for row in _rows(one, submission)]
    found.rows = official.with_power(rows)
    found.set_aside = [*_troubles(submission), *_endpoints(report.verdicts, submission), *_empty(report.verdicts)]
    return found


def _round(folder: Path) -> str:
    if seen := oldtree.round_by_seeds(folder):
        return seen
    if named := _ROUND.search(folder.resolve().name):
        return f"v{named[1]}"
    raise DatabaseError(f"nothing tells which round {folder} is of", "--round=v4.1 names it")


def _submission(files: Any, version: str) -> Submission:
    from mlperf_checker import roundfiles
    from mlperf_checker.context import Submission
    from mlperf_checker.layout import Layout

    return Submission(files, roundfiles.load(version), Layout.of(version))


def _rows(verdict: Verdict, submission: Submission) -> Iterator[Row]:
    if verdict.value is None:
        return
    cells = dict(verdict.row) or _cells(verdict, submission)
    yield official.row(cells, valid=verdict.ok)
    if verdict.power is not None:
        power: Mapping[str, Any] = {**cells, "Result": verdict.power, "Units": verdict.power_unit}
        yield official.row(power, valid=verdict.ok)


def _cells(verdict: Verdict, submission: Submission) -> dict[str, Any]:
    """The summary's row of a result that the summary leaves out."""
    from mlperf_checker.table import row

    return row(_folder(verdict, submission), verdict.value, verdict.accuracy)


def _folder(verdict: Verdict, submission: Submission) -> ResultFolder:
    from mlperf_checker.context import Model, ResultFolder, Submitter, System

    place = verdict.place
    system = System(Submitter(submission, place.division, place.submitter), place.system)
    return ResultFolder(Model(system, place.benchmark), place.scenario)


def _troubles(submission: Submission) -> Iterator[tuple[str, str]]:
    for folder in submission.tree.below():
        for name, trouble in folder.troubles.items():
            yield folder.name_of(name), _LINKS[trouble]


def _endpoints(verdicts: Iterable[Verdict], submission: Submission) -> Iterator[tuple[str, str]]:
    for one in verdicts:
        if one.value is None and _folder(one, submission).is_endpoints:
            yield str(one.place), ENDPOINTS


def _empty(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, str]]:
    for one in verdicts:
        if one.value is None:
            yield str(PurePosixPath(str(one.place))), "its log has no result"
