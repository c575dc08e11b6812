"""The results of a submission as a table: CSV for programs, Markdown for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from training_checker.report import Row

HEAD = (
    "submitter",
    "system",
    "division",
    "benchmark",
    "minutes to train",
    "runs",
    "did not count",
    "scaled by",
    "note",
)


def as_csv(rows: Sequence[Row]) -> str:
    """One line for each result; minutes with all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(_cells(row, "{!r}") for row in rows)
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """A table; minutes with four digits."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(_cells(row, "{:.4g}") for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _cells(row: Row, form: str) -> tuple[str, ...]:
    left_out = ", ".join("failed" if one == float("inf") else f"{one / 60:.4g}" for one in row.score.left_out)
    return (
        row.submitter,
        row.system,
        row.division,
        row.benchmark,
        "" if row.minutes is None else form.format(row.minutes),
        str(row.score.runs),
        left_out,
        f"{row.scale:g}",
        row.score.why_not,
    )
