"""`--model=resnet50 --scenario=Offline,Server` as SQL."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from cm4bench_database.errors import DatabaseError
from cm4bench_database.row import columns

DERIVED = ("per_accelerator", "per_core", "per_watt")
_LISTED = (list, tuple, set, frozenset)


def names() -> tuple[str, ...]:
    """Columns that can be asked for."""
    return (*columns(), *DERIVED)


def where(filters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A WHERE clause with its parameters; empty without filters. Text may have commas and ``*``.

    Raises:
        DatabaseError: there is no such column.
    """
    conditions: list[str] = []
    parameters: list[Any] = []
    for name, wanted in filters.items():
        if name not in names():
            raise unknown(name, names())
        values = [*wanted] if isinstance(wanted, _LISTED) else _split(wanted)
        conditions.append("(" + " OR ".join(_condition(name, value) for value in values) + ")")
        parameters += [_parameter(value) for value in values]
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), parameters


def unknown(name: str, known: tuple[str, ...]) -> DatabaseError:
    """An error about a name that nobody knows, with the nearest that exist."""
    near = difflib.get_close_matches(name, known, n=3)
    return DatabaseError(
        f"there is no column {name!r}",
        f"did you mean --{near[0]}?" if near else "cm find experiment --sql='DESCRIBE results'",
    )


def _split(value: Any) -> list[Any]:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else [value]


def _condition(name: str, value: Any) -> str:
    if isinstance(value, str) and "*" in value:
        return f"lower({name}::VARCHAR) GLOB ?"
    return f"lower({name}::VARCHAR) = ?"


def _parameter(value: Any) -> str:
    # DuckDB writes truth values in lower case.
    return str(value).lower()
