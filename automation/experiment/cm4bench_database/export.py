"""Tables as files: CSV, JSON, Parquet, Excel."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from cm4bench_database.errors import DatabaseError
from cm4bench_database.extras import need
from cm4bench_database.table import Table, plain

_MAX_EXCEL_ROWS = 1_048_575
_MAX_EXCEL_TEXT = 32_767


def export(table: Table, form: str, path: Path) -> Path:
    """Write a table to ``path`` in the form ``csv``, ``json``, ``parquet`` or ``xlsx``; all of it, or nothing.

    Raises:
        DatabaseError: an unknown form, or the file cannot be written.
    """
    if form not in FORMS:
        raise DatabaseError(f"{form!r} is no form of export", f"--out={'|'.join(FORMS)}")
    scrap = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        FORMS[form](table, scrap)
        scrap.replace(path)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written: {error.strerror or error}", "--output=FILE") from None
    finally:
        scrap.unlink(missing_ok=True)
    return path


def write_csv(table: Table, file: TextIO) -> None:
    """A head, then the rows; missing values are empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)


def _cell(value: Any) -> Any:
    found = plain(value)
    return "" if found is None else found


def _csv(table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(table, file)


def _json(table: Table, path: Path) -> None:
    path.write_text(json.dumps(table.dicts(), indent=1, ensure_ascii=False), encoding="utf-8")


def _parquet(table: Table, path: Path) -> None:
    need("duckdb")
    import duckdb

    lines = path.with_name(path.name + ".jsonl")
    try:
        with lines.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in table.dicts())
        with duckdb.connect() as connection:
            given = ", ".join(f"{_quoted(name)}: '{_kind(table.column(name))}'" for name in table.columns)
            connection.execute(
                f"COPY (SELECT * FROM read_json({_quoted(str(lines))}, columns={{{given}}}, "
                f"format='newline_delimited', maximum_object_size=67108864)) TO {_quoted(str(path))} (FORMAT parquet)"
            )
    except duckdb.Error as error:
        raise DatabaseError(f"no Parquet file can be made of this: {error}") from None
    finally:
        lines.unlink(missing_ok=True)


def _kind(values: Iterable[Any]) -> str:
    kinds = {type(plain(value)) for value in values if plain(value) is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _xlsx(table: Table, path: Path) -> None:
    need("openpyxl")
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    if len(table) > _MAX_EXCEL_ROWS:
        raise DatabaseError(f"{len(table):,} rows are more than Excel holds", "--out=parquet or --out=csv")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("results")
    sheet.append(list(table.columns))
    for row in table.rows:
        cells = [WriteOnlyCell(sheet, value=_excel(value)) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a name that begins with = is a name, no formula
        sheet.append(cells)
    book.save(path)


def _excel(value: Any) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    found = plain(value)
    return ILLEGAL_CHARACTERS_RE.sub("", found)[:_MAX_EXCEL_TEXT] if isinstance(found, str) else found


FORMS: dict[str, Callable[[Table, Path], None]] = {"csv": _csv, "json": _json, "parquet": _parquet, "xlsx": _xlsx}
