"""The table that a run ends with: one line per record; a rich table on a terminal, plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, TextIO

from cm4bench_results.record import ResultRecord
from cm4bench_results.stamp import SUSPECT, stamps, verdict

if TYPE_CHECKING:
    from rich.table import Table

NOT_RUN = "–"


@dataclass(frozen=True)
class Row:
    """The cells of one record, as text; field names are the column heads."""

    model: str
    scenario: str
    result: str
    accuracy: str
    validity: str
    tier: str
    device: str


def row_of(record: ResultRecord) -> Row:
    """The cells that sum up ``record``."""
    subject = record.subject
    return Row(
        model=subject.model,
        scenario=subject.scenario,
        result=result_cell(record),
        accuracy=accuracy_cell(record),
        validity=validity_cell(record),
        tier=record.tier,
        device=f"{subject.device} {subject.precision}",
    )


def result_cell(record: ResultRecord) -> str:
    """Metric, value and unit of the figure the scenario is judged by."""
    run = record.run("performance") or record.run("find-performance")
    if run is None or not run.figures:
        return NOT_RUN
    figure = run.figures[0]
    return f"{number(figure.value)} {figure.unit} ({figure.metric})"


def accuracy_cell(record: ResultRecord) -> str:
    """The quality found, the samples behind it, and the target it was held against."""
    quality = record.quality
    if quality is None:
        return NOT_RUN
    counted = f" ({quality.correct}/{quality.total})" if quality.correct is not None else f" (n={quality.total})"
    text = f"{quality.metric} {number(quality.value)} {quality.unit}{counted}"
    if quality.target is None:
        return f"{text}, no target"
    return f"{text}, target {number(quality.target)}: {'passed' if quality.passed else 'FAILED'}"


def validity_cell(record: ResultRecord) -> str:
    """VALID or INVALID with the reasons, and every label the result must carry but its tier, which has a column."""
    found = verdict(record)
    labels = [label for label in stamps(record) if label != record.tier]
    word = "VALID" if found.valid else "INVALID"
    return "; ".join([word, *labels, *found.reasons])


def number(value: float) -> str:
    """Four significant digits without an exponent: 0.01234, 12.34, 1,234."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.3e}"


def print_table(records: Sequence[ResultRecord], file: TextIO | None = None) -> None:
    """Print the records; colours and boxes only if ``file`` (default: stdout) is a terminal."""
    from rich.console import Console

    console = Console(file=file)
    if console.is_terminal:
        console.print(_rich_table(records))
    else:
        console.out(plain_table(records), highlight=False)


def plain_table(records: Sequence[ResultRecord]) -> str:
    """The table as aligned columns, readable in a log."""
    rows = [_heads(), *(astuple(row_of(record)) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _heads() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Row))


def _rich_table(records: Sequence[ResultRecord]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(*(head.capitalize() for head in _heads()))
    for record in records:
        found = verdict(record)
        suspect = not found.valid or SUSPECT in stamps(record)
        cells = [Text(cell) for cell in astuple(row_of(record))]
        cells[4].stylize("bold red" if suspect else "green")
        table.add_row(*cells)
    return table
