"""`cm show|report experiment` where there are trainings: CM dictionaries in and out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cm4bench_trainings.folder import Found, find
from cm4bench_trainings.record import TrainingError
from cm4bench_trainings.reports import DEFAULT, form_of, write, write_one

Action = Callable[[Path, Mapping[str, Any]], dict[str, Any]]


def has_trainings(folder: Path) -> bool:
    """Whether there is a training below a folder."""
    try:
        return bool(find(folder).trainings)
    except TrainingError:
        return False


def guarded(action: Action) -> Action:
    """A refusal becomes CM's error dictionary, with the next command in it."""

    def run(folder: Path, i: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return action(folder, i)
        except TrainingError as error:
            return {"return": 1, "error": f"{error.cause}\nnext: {error.hint}" if error.hint else error.cause}

    return run


@guarded
def report(folder: Path, i: Mapping[str, Any]) -> dict[str, Any]:
    """Reports on all trainings below ``folder``: `--output=FILE.html|md|csv|xlsx`, or `--forms=html,md,csv,xlsx`."""
    found = find(folder)
    if i.get("output"):
        target = Path(str(i["output"])).expanduser().absolute()
        written = [write_one(found, target, form_of(target.suffix.lstrip(".") or "html"))]
    else:
        forms = [one.strip() for one in str(i.get("forms") or ",".join(DEFAULT)).split(",")]
        written = write(found, folder, forms)
    _tell(found, i)
    if i.get("out") == "con":
        for path in written:
            print(f"report: {path}")
    return {"return": 0, "report": str(written[0]), "reports": [str(path) for path in written]}


@guarded
def show(folder: Path, i: Mapping[str, Any]) -> dict[str, Any]:
    """The table of all trainings below ``folder``, and the spread over their seeds."""
    from cm4bench_database.table import print_table
    from cm4bench_trainings.spread import groups
    from cm4bench_trainings.table import BRIEF, spread_table, table

    found = find(folder)
    if i.get("out") == "con":
        print_table(table(found.trainings, BRIEF))
        spread = spread_table(groups(found.trainings))
        if spread.rows:
            print()
            print_table(spread)
    _tell(found, i)
    return {"return": 0, "trainings": table(found.trainings).dicts(), "broken": [vars(one) for one in found.broken]}


def _tell(found: Found, i: Mapping[str, Any]) -> None:
    """What has no result, for people; never in the way of what programs read."""
    for one in found.broken:
        print(f"set aside: {one.path}: {one.reason}", file=sys.stderr)
