"""`cm find|export|import|push|pull experiment`: CM dictionaries in and out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm4bench_database.database import Database
from cm4bench_database.errors import DatabaseError
from cm4bench_database.filters import names, unknown, where
from cm4bench_database.table import Table
from cm4bench_results.store import RESULTS_DIR_KEY, default_results_dir

if TYPE_CHECKING:
    from cm4bench_database.sharing import Shared

# What a table of results shows when nobody says what to show.
SHOWN = (
    "source, round, submitter, system, accelerators, model, scenario, metric, value, unit, accuracy, tier, valid, id"
)
LIMIT = 100
_FORMS = ("csv", "json", "parquet", "xlsx")
# cmind's own, and what the console adds.
_OF_CM = (
    *("action", "automation", "artifact", "artifacts", "parsed_automation", "parsed_artifact", "parsed_artifacts"),
    *("cmd", "out", "output", "con", "quiet", "verbose", "v", "self_module", "control", "j", "json", "common"),
)
Action = Callable[[Mapping[str, Any]], dict[str, Any]]


def guarded(action: Action) -> Action:
    """A refusal becomes CM's error dictionary, with the next command in it."""

    def run(i: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return action(i)
        except DatabaseError as error:
            hint = f"\nnext: {error.hint}" if error.hint else ""
            return {"return": 1, "error": f"{error.cause}{hint}"}

    return run


@guarded
def find(i: Mapping[str, Any]) -> dict[str, Any]:
    """Rows by filters or by SQL: printed as a table, or given as `--out=json|csv|parquet|xlsx [--output=FILE]`."""
    form = _form(i)
    if form in ("parquet", "xlsx") or i.get("output"):
        return export(i)
    database = opened(i)
    table = _asked(database, i)
    _name_set_aside(database)
    if form == "csv":
        from cm4bench_database.export import write_csv

        write_csv(table, sys.stdout)
    elif i.get("out") == "con":
        _print(table, limited=_limit(i) if "sql" not in i else 0)
    return {"return": 0, "rows": table.dicts()}


@guarded
def export(i: Mapping[str, Any]) -> dict[str, Any]:
    """`cm export experiment --out=FORM --output=FILE [filters | --sql=…]`: all rows into a file."""
    return _exported(_asked(opened(i), {"limit": "0", "columns": "*", **i}), i, _form(i) or "csv")


@guarded
def import_(i: Mapping[str, Any]) -> dict[str, Any]:
    """`cm import experiment --from=PATH [--round=v4.1]`: official results into the results folder."""
    from cm4bench_database.importing import import_results
    from cm4bench_database.imports import Options

    if not i.get("from"):
        raise DatabaseError("nothing to import was named", "cm import experiment --from=PATH")
    folder = results_dir(i)
    folder.mkdir(parents=True, exist_ok=True)
    done = import_results(Database.open(folder), Path(str(i["from"])), Options(str(i.get("round") or "")))
    if i.get("out") == "con":
        print(done)
        _print_set_aside(done.set_aside)
    return {
        "return": 0,
        "results": done.results,
        "valid": done.valid,
        "with_power": done.with_power,
        "known": done.known,
        "set_aside": [list(one) for one in done.set_aside],
        "path": str(done.path),
    }


@guarded
def push(i: Mapping[str, Any]) -> dict[str, Any]:
    """`cm push experiment --to=URL [--force]`."""
    from cm4bench_database.sharing import push as pushed

    if not i.get("to"):
        raise DatabaseError("no place to push to was named", "cm push experiment --to=file:///FOLDER, or s3://BUCKET/…")
    return _shared(pushed(results_dir(i), str(i["to"]), force=_yes(i.get("force"))), i)


@guarded
def pull(i: Mapping[str, Any]) -> dict[str, Any]:
    """`cm pull experiment --from=URL [--force]`."""
    from cm4bench_database.sharing import pull as pulled

    if not i.get("from"):
        raise DatabaseError(
            "no place to pull from was named", "cm pull experiment --from=file:///FOLDER, or s3://BUCKET/…"
        )
    folder = results_dir(i)
    folder.mkdir(parents=True, exist_ok=True)
    return _shared(pulled(folder, str(i["from"]), force=_yes(i.get("force"))), i)


def _shared(done: Shared, i: Mapping[str, Any]) -> dict[str, Any]:
    """Report; what differs is an error, after all else was moved."""
    if i.get("out") == "con":
        print(done)
    for name in done.refused:
        print(f"refused, its name leads out of the folder: {name}", file=sys.stderr)
    if done.differing:
        names = ", ".join(done.differing[:5])
        raise DatabaseError(
            f"{len(done.differing)} files differ on both sides and were left: {names}", "--force overwrites"
        )
    return {"return": 0, "moved": list(done.moved), "alike": done.alike, "refused": list(done.refused)}


def opened(i: Mapping[str, Any]) -> Database:
    """The database of the results that a command is about.

    Raises:
        DatabaseError: there is no such folder.
    """
    database = Database.open(results_dir(i))
    if _yes(i.get("rebuild")):
        database.rebuild()
    return database


def results_dir(i: Mapping[str, Any]) -> Path:
    """`--results_dir`, else the folder where runs from here leave their results."""
    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    return default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd())


def filters_of(i: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """The flags that name columns; any other flag but the ``known`` ones is a mistake.

    Raises:
        DatabaseError: a flag that means nothing here.
    """
    ours = ("results_dir", "rebuild", *known)
    rest = {key: value for key, value in i.items() if key not in (*_OF_CM, *ours) and not key.startswith("_")}
    for key in rest:
        if key not in names():
            raise unknown(key, (*names(), *ours))
    return rest


def _asked(database: Database, i: Mapping[str, Any]) -> Table:
    filters = filters_of(i, "sql", "columns", "all", "limit", "timeout")
    if i.get("sql"):
        if filters:
            raise DatabaseError(f"--sql and --{next(iter(filters))} do not go together", "put it into the WHERE")
        return database.query(str(i["sql"]), timeout_s=float(i.get("timeout") or 60))
    condition, parameters = where(filters)
    if not _yes(i.get("all")):
        condition = f"{condition} {'AND' if condition else 'WHERE'} headline"
    limit = f"LIMIT {_limit(i) + 1}" if _limit(i) else ""
    columns = str(i.get("columns") or (SHOWN if i.get("out") == "con" else "*"))
    return database.query(f"SELECT {columns} FROM results {condition} ORDER BY created, id, metric {limit}", parameters)


def _limit(i: Mapping[str, Any]) -> int:
    """Rows on a screen; what programs read is not cut."""
    given = str(i.get("limit") or (LIMIT if i.get("out") == "con" else 0))
    if not given.isdecimal():
        raise DatabaseError(f"--limit={given} is no number of rows", f"--limit={LIMIT}, or --limit=0 for all")
    return int(given)


def _form(i: Mapping[str, Any]) -> str:
    """What `--out` names; where it names nothing, the ending of the file."""
    out = str(i.get("out") or "")
    ending = Path(str(i.get("output") or "")).suffix.lstrip(".")
    return out if out in _FORMS else ending if ending in _FORMS else ""


def _exported(table: Table, i: Mapping[str, Any], form: str) -> dict[str, Any]:
    from cm4bench_database.export import export as write

    target = Path(str(i.get("output") or f"results.{form}")).expanduser().absolute()
    written = write(table, form or "csv", target)
    if i.get("out") != "json":
        print(f"{len(table):,} rows: {written}")
    return {"return": 0, "output": str(written), "count": len(table)}


def _print(table: Table, limited: int) -> None:
    from cm4bench_database.table import print_table

    more = bool(limited) and len(table) > limited
    print_table(Table(table.columns, table.rows[:limited] if more else table.rows))
    if not table.rows:
        print("no row fits")
    if more:
        print(f"there are more than {limited} rows: --limit=0 shows all")


def _name_set_aside(database: Database) -> None:
    query = "cm find experiment --sql=\"SELECT path, trouble FROM files WHERE trouble <> ''\""
    _print_set_aside([tuple(one) for one in database.set_aside()], f"; {query} shows all")


def _print_set_aside(found: Sequence[tuple[str, ...]], hint: str = "", most: int = 5) -> None:
    for path, reason in found[:most]:
        print(f"set aside: {path}: {reason}", file=sys.stderr)
    if len(found) > most:
        print(f"set aside: {len(found) - most} more{hint}", file=sys.stderr)


def _yes(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "yes", "on")
