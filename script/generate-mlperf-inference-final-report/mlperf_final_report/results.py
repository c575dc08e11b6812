"""The rows of a summary table as values, and the errors that a table can have."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

POWER_UNITS = ("Watts", "millijoules")
SUITES = ("datacenter", "edge")
DIVISIONS = ("closed", "open", "network")
_NEEDED = (
    "Organization",
    "Division",
    "SystemType",
    "Platform",
    "MlperfModel",
    "Scenario",
    "Result",
    "Units",
    "version",
)
_SCENARIOS = {name.lower(): name for name in ("SingleStream", "MultiStream", "Server", "Offline", "Interactive")}


class TableError(Exception):
    """A table that cannot be read: `cause` in words, `hint` what to do."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint


@dataclass(frozen=True)
class Result:
    """One row: a number of a system in a benchmark and scenario.

    Attributes:
        cells: all columns of the row.
        value: the number, in `unit`.
    """

    cells: Mapping[str, str]
    value: float
    unit: str

    @property
    def benchmark(self) -> str:
        return self.cells["MlperfModel"]

    @property
    def division(self) -> str:
        return self.cells["Division"]

    @property
    def scenario(self) -> str:
        return _SCENARIOS.get(self.cells["Scenario"].lower(), self.cells["Scenario"])

    @property
    def is_power(self) -> bool:
        """The second row of a result with power."""
        return self.unit in POWER_UNITS

    @property
    def has_power(self) -> bool:
        return self.cells.get("has_power", "").lower() == "true"

    def is_in(self, suite: str) -> bool:
        """Whether the system is of a suite; it may be of both."""
        return suite in self.cells["SystemType"]

    def key(self, suite: str) -> str:
        """What tells one line of a sheet from all others, and keeps its number from run to run."""
        parts = [suite, self.division, self.cells["Organization"], self.cells["Platform"]]
        return "/".join(parts + [self.cells.get("Model", "")] * (self.division == "open"))


def read(path: Path) -> tuple[Result, ...]:
    """Rows of a table, in its order.

    Raises:
        TableError: it is missing, empty, no table of the checker, or a result in it is no number.
    """
    hint = 'cmr "run mlperf inference submission checker" --submission_dir=FOLDER --csv=summary.csv'
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read: {error}", hint) from error
    found = tuple(_results(path, rows, hint))
    if not found:
        raise TableError(f"{path} has no results", hint)
    return found


def _results(path: Path, rows: list[dict[str, str]], hint: str) -> Iterator[Result]:
    for number, row in enumerate(rows, start=2):
        missing = [name for name in _NEEDED if row.get(name) is None]
        if missing:
            raise TableError(f"{path}:{number}: no column {', '.join(missing)}", hint)
        cells = {str(key): value or "" for key, value in row.items() if isinstance(value, str) or value is None}
        try:
            yield Result(cells, float(cells["Result"]), cells["Units"])
        except ValueError as error:
            raise TableError(f"{path}:{number}: the result {cells['Result']!r} is no number", hint) from error
