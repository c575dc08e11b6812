"""One figure by versions of a software: torch 2.12 beside torch 2.13."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from cm4bench_compare.noise import compare
from cm4bench_database import Database, DatabaseError, Table
from cm4bench_database.filters import names, where

COLUMNS = ("model", "scenario", "backend", "device", "metric", "unit")
_SOFTWARE = re.compile(r"[A-Za-z0-9][\w .+-]*")


def by_version(database: Database, by: str, filters: Mapping[str, Any]) -> Table:
    """Results grouped by the version of a software, or by a column; each compared with the group before it.

    Raises:
        DatabaseError: no result tells it.
    """
    source, given = _source(by)
    condition, parameters = where(filters)
    shown = ", ".join(COLUMNS)
    table = database.query(
        f"SELECT {shown}, better, {source} AS the_group, list(value ORDER BY created), count(*), median(value), "
        f"min(value), max(value) FROM results {condition or 'WHERE true'} AND headline AND value > 0 "
        f"AND mode = 'performance' AND the_group <> '' GROUP BY ALL ORDER BY {shown}",
        [*given, *parameters],
    )
    if not table.rows:
        raise DatabaseError(f"no result tells its {by}", "--by=torch, or a column as --by=threads")
    heads = (*COLUMNS, by, "runs", "median", "lowest", "highest", "against the one before")
    return Table(heads, [row for group in _groups(table) for row in _compared(group)])


def _source(by: str) -> tuple[str, list[Any]]:
    if by in names():
        return f"{by}::VARCHAR", []
    if not _SOFTWARE.fullmatch(by):
        raise DatabaseError(f"{by!r} is no name of a software", "--by=torch")
    return "coalesce(versions->>?, '')", [f'$."{by}"']


def _groups(table: Table) -> list[list[tuple[Any, ...]]]:
    width = len(COLUMNS)
    return [
        sorted(rows, key=lambda row: version_order(str(row[width + 1])))
        for _, rows in itertools.groupby(table.rows, key=lambda row: row[:width])
    ]


def _compared(group: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    width, before, rows = len(COLUMNS), None, []
    for row in group:
        better, version, values, *figures = row[width:]
        rows.append((*row[:width], version, *figures, _against(before, values, better)))
        before = values
    return rows


def _against(before: list[float] | None, values: list[float], better: str) -> str:
    if before is None:
        return ""
    found = compare(before, values, higher_is_better=better != "lower")
    words = {"same": "within noise", "unknown": "noise unknown"}
    return f"{100 * found.change:+.1f} %, {words.get(found.verdict, found.verdict)}"


def version_order(version: str) -> tuple[tuple[int, str], ...]:
    """2.9 before 2.10, and numbers before words."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    return tuple((int(part), "") if part.isdigit() else (1 << 60, part) for part in parts)
