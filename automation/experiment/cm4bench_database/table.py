"""What a query gives, and how it is shown."""

from __future__ import annotations

import datetime
import io
import math
from dataclasses import dataclass
from typing import Any, TextIO

# Off a terminal a row is a line, however long: programs read lines.
PLAIN_WIDTH = 20_000


@dataclass(frozen=True)
class Table:
    """Named columns and rows of values."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """All values of one column; ValueError for an unknown name."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by names of columns, in values that JSON knows."""
        return [{name: plain(value) for name, value in zip(self.columns, row, strict=True)} for row in self.rows]


def plain(value: Any) -> Any:
    """A value that JSON knows: times as ISO 8601, numbers that are none as null, all else as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="seconds") + ("" if value.tzinfo else "Z")
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value)


def shown(value: Any) -> str:
    """A cell as people read it."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:.6g}"
    found = plain(value)
    return "" if found is None else str(found)


def print_table(table: Table, file: TextIO | None = None) -> None:
    """Print: drawn on a terminal, plain columns elsewhere. Names come from foreign files: no markup is obeyed."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    console = Console(file=file)
    drawn = Drawn(box=box.HEAVY_HEAD if console.is_terminal else None, pad_edge=console.is_terminal)
    for name in table.columns:
        drawn.add_column(Text(name), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(shown(value)) for value in row))
    if console.is_terminal:
        console.print(drawn)
        return
    text = io.StringIO()
    Console(file=text, width=PLAIN_WIDTH, no_color=True).print(drawn)
    for line in text.getvalue().splitlines():
        print(line.rstrip(), file=file)
