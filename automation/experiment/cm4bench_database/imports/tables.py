"""`summary.csv` of a submission checker, and JSON lists of the same columns as cm4mlperf-results has them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cm4bench_database.errors import DatabaseError
from cm4bench_database.imports import official
from cm4bench_database.imports.found import Found
from cm4bench_database.row import Row

_MAX_BYTES = 512 << 20


def read_csv(path: Path, round_: str = "") -> Found:
    """Rows of a summary table.

    Raises:
        DatabaseError: it is no such table.
    """
    text = _content(path)
    # fields of some rounds hold long notes
    csv.field_size_limit(1 << 24)
    try:
        reader = csv.DictReader(text.splitlines(keepends=True))
        _refuse_foreign(path, reader.fieldnames or ())
        rows = list(reader)
    except csv.Error as error:
        raise DatabaseError(f"{path} is no CSV table: {error}") from None
    return _found("summary.csv", path, rows, round_)


def read_json(path: Path, round_: str = "") -> Found:
    """Rows of a JSON list of results.

    Raises:
        DatabaseError: it is no such list.
    """
    try:
        rows = json.loads(_content(path))
    except (ValueError, RecursionError):
        raise DatabaseError(f"{path} is no JSON") from None
    rows = rows if isinstance(rows, list) else [rows]
    objects = [one for one in rows if isinstance(one, dict)]
    _refuse_foreign(path, {name for one in objects for name in one})
    return _found("JSON results", path, rows, round_)


def _found(form: str, path: Path, rows: Iterable[Any], round_: str) -> Found:
    found = Found(form)
    read: list[Row] = []
    for position, cells in enumerate(rows, start=1):
        if trouble := _trouble(cells):
            found.set_aside.append((f"{path}, row {position}", trouble))
        else:
            read.append(official.row({**cells, "version": cells.get("version") or round_}))
    found.rows = official.with_power(read)
    return found


def _trouble(cells: Any) -> str:
    """What keeps a row from being a result, empty if nothing does."""
    if not isinstance(cells, Mapping):
        return "it is no object"
    missing = [name for name in official.NEEDED if not str(cells.get(name) or "").strip()]
    if missing:
        return f"it has no {', '.join(missing)}"
    if official.number(str(cells["Result"])) is None:
        return f"its result is {str(cells['Result'])[:40]!r}, no number"
    return ""


def _refuse_foreign(path: Path, names: Iterable[str]) -> None:
    present = set(names)
    missing = [name for name in official.NEEDED if name not in present]
    if missing:
        raise DatabaseError(
            f"{path} is no table of MLPerf results: it has no {', '.join(missing)}",
            "name a summary.csv, a list of results in JSON, a results tree or a training log",
        )


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatabaseError(f"{path} has {path.stat().st_size:,} bytes, too many for a table")
        return path.read_text(encoding="utf-8-sig", errors="replace").replace("\0", "")
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror or error}") from None
