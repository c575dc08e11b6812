"""What `cm ACTION experiment` does: CM dictionaries in and out, for the readers of stored records."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cm4bench_results.record import RecordError, ResultRecord
from cm4bench_results.store import RESULTS_DIR_KEY, ResultStore, default_results_dir

REPORT = "report.html"


def show(i: Mapping[str, Any]) -> dict[str, Any]:
    """Print the table of all stored results; CM's error dictionary where none can be read."""
    from cm4bench_results.table import print_table

    try:
        folder, records, trainings = _stored(i)
    except RecordError as error:
        return _error(error)
    if i.get("out") == "con" and records:
        print_table(records)
    shown = {"return": 0, "results_dir": str(folder), "ids": [record.id for record in records]}
    return _with_trainings("show", shown, folder, i) if trainings else shown


def report(i: Mapping[str, Any]) -> dict[str, Any]:
    """Write one HTML report of all stored results, into their folder unless `output` names a file.

    Trainings get reports of their own (`trainings.html` …); where there is nothing else, `output` is theirs.
    """
    from cm4bench_results.html import write_report

    try:
        folder, records, trainings = _stored(i)
        if not records:
            return _with_trainings("report", {}, folder, i)
        target = write_report(records, Path(i.get("output") or folder / REPORT).expanduser().absolute())
    except (RecordError, OSError) as error:
        return _error(error)
    if i.get("out") == "con":
        print(f"report: {target}")
    done = {"return": 0, "report": str(target)}
    without = {key: value for key, value in i.items() if key != "output"}
    return _with_trainings("report", done, folder, without) if trainings else done


def _with_trainings(action: str, done: dict[str, Any], folder: Path, i: Mapping[str, Any]) -> dict[str, Any]:
    """The same action on the folder's trainings; what was done before is kept in the answer."""
    from cm4bench_trainings import actions

    added: dict[str, Any] = getattr(actions, action)(folder, i)
    return added if added["return"] else {**added, **done}


def _stored(i: Mapping[str, Any]) -> tuple[Path, list[ResultRecord], bool]:
    """The results folder, its records, and whether it has trainings as well."""
    from cm4bench_trainings.actions import has_trainings

    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    folder = default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd())
    records = [stored.record for stored in ResultStore(folder).records()]
    trainings = has_trainings(folder)
    if not (records or trainings):
        raise RecordError(
            f'no results in {folder}; next: --results_dir=FOLDER, or make some: cmr "run mlperf inference"'
        )
    return folder, records, trainings


def _error(error: Exception) -> dict[str, Any]:
    return {"return": 1, "error": str(error)}
