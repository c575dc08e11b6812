"""`cm compare|detect|bisect|pareto experiment`: CM dictionaries in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm4bench_database.actions import filters_of, guarded, opened, results_dir
from cm4bench_database.errors import DatabaseError
from cm4bench_database.extras import need

if TYPE_CHECKING:
    from cm4bench_compare.pareto import Better


@guarded
def compare(i: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of runs in words; `--by=torch` makes a table of versions instead."""
    from cm4bench_compare import sides

    need("duckdb", "scipy")
    if i.get("by"):
        return _by_version(i)
    words = _words(i)
    shared = filters_of(i, "a", "b", "by")
    database = opened(i)
    if len(words) == 2:
        a, b = (sides.named(database, word) for word in words)
    elif not words and isinstance(i.get("a"), dict) and isinstance(i.get("b"), dict):
        a, b = (sides.side(database, name.upper(), {**shared, **i[name]}) for name in ("a", "b"))
    else:
        usage = "cm compare experiment A B (ids, files or folders), or --a.threads=1 --b.threads=2"
        raise DatabaseError("two things are compared", usage)
    found = sides.compared(database, a, b)
    _say(i, map(str, found))
    return {"return": 0, "compared": [{**one.subject._asdict(), **_judged(one.found)} for one in found]}


@guarded
def detect(i: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of level in the histories of our own results."""
    from cm4bench_compare.history import shifts

    need("duckdb", "ruptures", "scipy")
    found = shifts(opened(i), filters_of(i))
    lines = [str(one) for one in found] or ["no change of level in any history of four results and more"]
    if any(one.is_regression for one in found):
        lines.append("next: cm bisect experiment BEFORE AFTER, with the ids of the results on both sides")
    _say(i, lines)
    data = [
        {
            "history": dict(one.history),
            **asdict(one.point),
            "change": one.point.change,
            "before_id": one.before,
            "after_id": one.after,
            "changed": list(one.changed),
            "regression": one.is_regression,
        }
        for one in found
    ]
    return {"return": 0, "changes": data}


@guarded
def bisect(i: Mapping[str, Any]) -> dict[str, Any]:
    """Which entry of the difference between two locks made the result differ: runs mixes of them."""
    from cm4bench_compare import lockmix
    from cm4bench_compare.bisection import BisectError, as_data
    from cm4bench_compare.bisection import bisect as bisected
    from cm4bench_compare.replayrun import LockRunner

    need("scipy")
    words = _words(i)
    if len(words) != 2:
        raise DatabaseError("a bisection has a good side and a bad one", "cm bisect experiment GOOD BAD [--repeats=3]")
    (good, scenario, higher), (bad, _, _) = (_located(i, word) for word in words)
    folder = results_dir(i).parent / "cm4bench-bisect" if not i.get("output") else Path(str(i["output"])).expanduser()
    runner = LockRunner(folder.absolute(), str(i.get("scenario") or scenario), _repeats(i), tell=lambda t: _say(i, [t]))
    try:
        locks = lockmix.read(good), lockmix.read(bad)
        unmixable = lockmix.fixed(good, bad)
        _say(i, (f"cannot be mixed, so not tried: {one}" for one in unmixable))
        found = bisected(*locks, runner, higher_is_better=higher)
    except BisectError as error:
        raise DatabaseError(str(error), "cm diff script GOOD BAD shows all differences of two locks") from None
    except Exception as error:
        if not hasattr(error, "cause"):
            raise
        raise DatabaseError(str(error), str(getattr(error, "hint", "") or "")) from None
    _say(i, [f"culprit: {found}"])
    return {"return": 0, **as_data(found), "not_tried": unmixable}


@guarded
def pareto(i: Mapping[str, Any]) -> dict[str, Any]:
    """The front of results over `--objectives=value:higher,accuracy:higher`, its knee, and the knee's command."""
    from cm4bench_compare.pareto import front, knee

    objectives = _objectives(str(i.get("objectives") or "value:higher,accuracy:higher"))
    rows = opened(i).records(**filters_of(i, "objectives"), headline=True, mode="performance").dicts()
    _refuse_mixture(rows)
    points = [tuple(row[name] for name in objectives) for row in rows]
    if any(isinstance(value, str) for point in points for value in point):
        raise DatabaseError("an objective is a column of numbers", "--objectives=value:higher,power_w:lower")
    ways = list(objectives.values())
    members, chosen = front(points, ways), knee(points, ways)
    found = [
        {"id": rows[at]["id"], **dict(zip(objectives, points[at], strict=True)), "knee": at == chosen} for at in members
    ]
    line = _command(rows[chosen]) if chosen is not None else ""
    lines = [_point(one, list(objectives)) for one in found] or ["no result has all of these"]
    _say(i, [*lines, f"next: {line}"] if line else lines)
    return {"return": 0, "front": found, "command": line}


def _refuse_mixture(rows: Sequence[Mapping[str, Any]]) -> None:
    """Samples per second and milliseconds, or two benchmarks, are no points of one picture.

    Raises:
        DatabaseError: there are several kinds, named with the flags that choose one.
    """
    kinds = sorted({(row["benchmark"], row["scenario"], row["unit"]) for row in rows})
    if len(kinds) > 1:
        named = "; ".join(", ".join(kind) for kind in kinds[:4]) + ("; …" if len(kinds) > 4 else "")
        choice = f"--benchmark={kinds[0][0]} --scenario={kinds[0][1]}"
        raise DatabaseError(f"{len(kinds)} kinds of results make no one front: {named}", choice)


def _objectives(given: str) -> dict[str, Better]:
    """`value:higher,power_w:lower`; without a word, higher is better.

    Raises:
        DatabaseError: there is no such column.
    """
    from cm4bench_database.filters import names, unknown

    found: dict[str, Better] = {}
    for one in given.split(","):
        name, _, way = one.strip().partition(":")
        if name not in names():
            raise unknown(name, names())
        found[name] = "lower" if way == "lower" else "higher"
    return found


def _command(row: Mapping[str, Any]) -> str:
    """How to submit what an own result measured; nothing for the results of others."""
    from cm4bench_compare.command import command
    from cm4bench_results.record import RecordError
    from cm4bench_results.store import load_file

    if row["source"] != "own":
        return ""
    try:
        return command(load_file(Path(row["path"])), submission=True)
    except RecordError as error:
        raise DatabaseError(str(error)) from None


def _point(one: Mapping[str, Any], objectives: list[str]) -> str:
    values = ", ".join(f"{name} {one[name]:.5g}" for name in objectives)
    return f"{'knee' if one['knee'] else '    '}  {values}  {one['id']}"


def _by_version(i: Mapping[str, Any]) -> dict[str, Any]:
    from cm4bench_compare.versiontable import by_version
    from cm4bench_database.table import print_table

    table = by_version(opened(i), str(i["by"]), filters_of(i, "by"))
    if i.get("out") == "con":
        print_table(table)
    return {"return": 0, "rows": table.dicts()}


def _located(i: Mapping[str, Any], word: str) -> tuple[Path, str, bool]:
    """The lock that a word names, with the scenario and direction of its result; a bare lock tells neither."""
    path = Path(word).expanduser()
    if path.is_file() and path.name != "result.json":
        return path, str(i.get("scenario") or "Offline"), str(i.get("better") or "higher") != "lower"
    place = str(path.resolve())
    found = opened(i).query(
        "SELECT path, scenario, better, lock_sha256 FROM results WHERE headline AND "
        "(id = ? OR contains(id, ?) OR path = ? OR starts_with(path, ?)) ORDER BY id LIMIT 1",
        [word, word, place, f"{place}/"],
    )
    if not found.rows:
        raise DatabaseError(f"{word} names neither a lock nor a result", "cm bisect experiment GOOD BAD")
    record, scenario, better, lock = found.rows[0]
    if not lock:
        raise DatabaseError(
            f"{word} has no lock beside it", "make results with --lock=FILE, or name the locks themselves"
        )
    folders = (Path(record).parent, Path(record).parent.parent)
    return next(one / "lock.json" for one in folders if (one / "lock.json").is_file()), scenario, better != "lower"


def _repeats(i: Mapping[str, Any]) -> int:
    given = str(i.get("repeats") or 3)
    if not given.isdecimal() or int(given) < 2:
        raise DatabaseError(f"--repeats={given}: noise needs two runs of each mix at least", "--repeats=3")
    return int(given)


def _words(i: Mapping[str, Any]) -> list[str]:
    return [str(word) for word in (i.get("artifact"), *(i.get("artifacts") or ())) if word]


def _judged(found: Any) -> dict[str, Any]:
    return {**asdict(found), "verdict": found.verdict}


def _say(i: Mapping[str, Any], lines: Any) -> None:
    if i.get("out") == "con":
        for line in lines:
            print(line, flush=True)
