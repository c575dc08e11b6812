"""What reading a file or folder gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from cm4bench_database.row import Row


@dataclass
class Found:
    """Rows, and what could not be read, each with the reason."""

    form: str
    rows: list[Row] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
