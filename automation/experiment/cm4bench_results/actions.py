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
        folder, records = _stored(i)
    except RecordError as error:
        return _error(error)
    if i.get("out") == "con":
        print_table(records)
    return {"return": 0, "results_dir": str(folder), "ids": [record.id for record in records]}


def report(i: Mapping[str, Any]) -> dict[str, Any]:
    """Write one HTML report of all stored results, into their folder unless `output` names a file."""
    from cm4bench_results.html import write_report

    try:
        folder, records = _stored(i)
        target = write_report(records, Path(i.get("output") or folder / REPORT).expanduser().absolute())
    except (RecordError, OSError) as error:
        return _error(error)
    if i.get("out") == "con":
        print(f"report: {target}")
    return {"return": 0, "report": str(target)}


def _stored(i: Mapping[str, Any]) -> tuple[Path, list[ResultRecord]]:
    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    folder = default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd())
    records = [stored.record for stored in ResultStore(folder).records()]
    if not records:
        raise RecordError(
            f'no results in {folder}; next: --results_dir=FOLDER, or make some: cmr "run mlperf inference"'
        )
    return folder, records


def _error(error: Exception) -> dict[str, Any]:
    return {"return": 1, "error": str(error)}
