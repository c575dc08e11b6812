"""The report as a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlperf_final_report.sheets import Line, Report, Sheet

_HEAD_ROWS = 3
_ABOUT_WIDTH, _VALUE_WIDTH = 18, 14
_SHADE = "EFEFEF"
_KEY_COLUMN = "B"


def write(report: Report, path: Path) -> None:
    """Write one sheet per suite, division and power; three rows of heads: benchmark, scenario, unit."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet in report.sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    book.save(path)


def _fill(page: Any, sheet: Sheet) -> None:
    """Put a sheet's lines on an openpyxl worksheet."""
    own = ["ID", "Unique ID (e.g. for Audit)", *sheet.titles, "Details", "Code"]
    page.append([""] * len(own) + [one.benchmark for one in sheet.columns])
    page.append([""] * len(own) + [one.scenario for one in sheet.columns])
    page.append(own + [one.unit for one in sheet.columns])
    for line in sheet.lines:
        page.append(_row(line, sheet))
        _link(page, line, len(own))
    _style(page, len(own), len(sheet.columns))


def _row(line: Line, sheet: Sheet) -> list[object]:
    about = [_clean(one) for one in line.about.values()]
    links = ["details" if line.details else "", "code" if line.code else ""]
    return [line.id, _clean(line.key), *about, *links, *(line.values.get(one) for one in sheet.columns)]


def _clean(value: object) -> object:
    """Text without the control characters that a spreadsheet cannot hold."""
    return "".join(one for one in value if one >= " " or one in "\t\n") if isinstance(value, str) else value


def _link(page: Any, line: Line, own: int) -> None:
    for column, address in ((own - 1, line.details), (own, line.code)):
        if address:
            page.cell(page.max_row, column).hyperlink = address


def _style(page: Any, own: int, values: int) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    bold, shade = Font(bold=True), PatternFill("solid", fgColor=_SHADE)
    for number, row in enumerate(page.iter_rows(), start=1 - _HEAD_ROWS):
        for index, cell in enumerate(row):
            if cell.data_type == "f":
                # text from a submission must never become a formula
                cell.data_type = "s"
            if number <= 0:
                cell.font = bold
            elif number % 2 == 0:
                cell.fill = shade
            if number > 0 and index >= own:
                cell.number_format = "#,##0.000"
    for index in range(own + values):
        page.column_dimensions[get_column_letter(index + 1)].width = _ABOUT_WIDTH if index < own else _VALUE_WIDTH
    page.column_dimensions[_KEY_COLUMN].hidden = True
    page.freeze_panes = page.cell(_HEAD_ROWS + 1, 3)
