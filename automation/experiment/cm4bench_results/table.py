"""The table that a run ends with: one row per record; a drawn table on a terminal, plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TextIO

from cm4bench_results.record import Figure, ResultRecord
from cm4bench_results.stamp import stamps, verdict

if TYPE_CHECKING:
    from rich.table import Table

NOT_RUN = "–"
# Columns of a log file; narrower ones would cut the reasons into shreds.
PLAIN_WIDTH = 150


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
    device_energy: str = ""


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
        device_energy=energy_cell(record),
    )


def heads(rows: Sequence[Row]) -> list[str]:
    """Names of the columns; that of the energy only where some was measured."""
    names = [field.name for field in fields(Row)]
    return names if any(row.device_energy for row in rows) else [name for name in names if name != "device_energy"]


def energy_cell(record: ResultRecord) -> str:
    """Joules per sample of the performance run, empty where no counter could be read."""
    run = record.run("performance")
    energy = run.energy if run is not None else None
    if energy is None or energy.joules_per_sample is None or energy.mean_watts is None:
        return ""
    return f"{number(energy.joules_per_sample)} J/sample, {number(energy.mean_watts)} W (no MLPerf power result)"


def result_cell(record: ResultRecord) -> str:
    """Metric, value and unit of the figure the scenario is judged by."""
    figure = headline(record)
    return f"{number(figure.value)} {figure.unit} ({figure.metric})" if figure else NOT_RUN


def headline(record: ResultRecord) -> Figure | None:
    """The figure the scenario is judged by: of the performance run, else of the search; None where there is none."""
    run = record.run("performance") or record.run("find-performance")
    return run.figures[0] if run is not None and run.figures else None


def accuracy_cell(record: ResultRecord) -> str:
    """The quality found, the samples behind it, and the target it was held against."""
    quality = record.quality
    if quality is None:
        return NOT_RUN
    counted = f" ({quality.correct}/{quality.total})" if quality.correct is not None else f" (n={quality.total})"
    text = f"{quality.metric} {number(quality.value)} {quality.unit}{counted}"
    text += "".join(f", {one.name} {number(one.value)} {one.unit}".rstrip() for one in quality.more)
    if quality.passed is None:
        return f"{text}, no target"
    if quality.target is None:
        return f"{text}: {'passed' if quality.passed else 'FAILED'}"
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
    """Print the records: drawn and coloured if ``file`` (default: stdout) is a terminal, else as plain columns."""
    from rich.console import Console

    console = Console(file=file)
    if not console.is_terminal:
        console = Console(file=file, width=PLAIN_WIDTH, no_color=True)
    console.print(_table(records, drawn=console.is_terminal))


def _table(records: Sequence[ResultRecord], *, drawn: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.HEAVY_HEAD if drawn else None, pad_edge=drawn, show_lines=drawn and len(records) > 1)
    rows = [row_of(record) for record in records]
    names = heads(rows)
    for name in names:
        head = name.capitalize().replace("_", " ")
        table.add_column(head, overflow="fold", no_wrap=name in ("scenario", "tier"))
    for record, row in zip(records, rows, strict=True):
        cells = [Text(getattr(row, name)) for name in names]
        cells[4].stylize("green" if verdict(record).valid else "bold red")
        table.add_row(*cells)
    return table
