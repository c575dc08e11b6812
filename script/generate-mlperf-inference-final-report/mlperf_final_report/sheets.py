"""The sheets of the report: a line per system, a column per benchmark, scenario and unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mlperf_final_report.results import DIVISIONS, SUITES, Result

_SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline", "Interactive")
_UNITS = ("Latency (ms)", "Latency (s)", "Samples/s", "Queries/s", "Tokens/s", "Tasks/s", "millijoules", "Watts")

# titles of a line's own columns, and the table's columns that they show
_ABOUT = {
    "Submitter": "Organization",
    "Availability": "Availability",
    "System": "SystemName",
    "Nodes": "number_of_nodes",
    "Processor": "host_processor_model_name",
    "p#": "host_processors_per_node",
    "Accelerator": "accelerator_model_name",
    "a#": "accelerators_per_node",
    "Total Accelerators": "total_accelerators",
    "Software": "framework",
    "Notes": "notes",
}
_ABOUT_OPEN = {"UsedModel": "Model", "Accuracy": "Accuracy"}
_COUNTS = ("Nodes", "p#", "a#", "Total Accelerators")

Allowed = Callable[[str, str, str], bool]


@dataclass(frozen=True, order=True)
class Column:
    """A benchmark in a scenario, in one unit; sorted as the round lists them."""

    rank: tuple[int, int, int]
    benchmark: str
    scenario: str
    unit: str


@dataclass
class Line:
    """A system of a submitter, in the open division with one model."""

    id: str
    key: str
    about: dict[str, object]
    details: str
    code: str
    values: dict[Column, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        title: as `datacenter - closed - power`.
        lines, columns: what it holds; a line need not have a value in each column.
    """

    title: str
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """Titles of the lines' own columns."""
        return tuple(self.lines[0].about)


@dataclass(frozen=True)
class Report:
    """A whole report."""

    round: str
    sheets: tuple[Sheet, ...]


def build(
    results: tuple[Result, ...],
    benchmarks: tuple[str, ...],
    allowed: Allowed,
    ids: Mapping[str, str],
    repository: str,
) -> Report:
    """Arrange results.

    Args:
        results: all rows of a table.
        benchmarks: in the order of the columns.
        allowed: whether a suite has a benchmark in a scenario; other results are left out, as in the published table.
        ids: number of each line, by its key.
        repository: web address for links, empty for none.
    """
    sheets = []
    for division in DIVISIONS:
        for suite in SUITES:
            fit = [one for one in results if one.division == division and one.is_in(suite)]
            fit = [one for one in fit if allowed(suite, one.benchmark, one.scenario)]
            for title, rows in (("", [one for one in fit if not one.is_power]), (" - power", _with_power(fit))):
                if rows:
                    arranged = _Arranged(suite, benchmarks, ids, repository)
                    sheets.append(arranged.sheet(f"{suite} - {division}{title}", rows))
    return Report(results[0].cells["version"], tuple(sheets))


def _with_power(results: list[Result]) -> list[Result]:
    return [one for one in results if one.has_power]


@dataclass(frozen=True)
class _Arranged:
    suite: str
    benchmarks: tuple[str, ...]
    ids: Mapping[str, str]
    repository: str

    def sheet(self, title: str, results: list[Result]) -> Sheet:
        lines: dict[str, Line] = {}
        for one in results:
            key = one.key(self.suite)
            line = lines.setdefault(key, self._line(one, key))
            line.values[self._column(one)] = one.value
        by = sorted(lines.values(), key=lambda line: (str(line.about["Availability"]), line.key))
        return Sheet(title, tuple(by), tuple(sorted({column for line in by for column in line.values})))

    def _line(self, one: Result, key: str) -> Line:
        wanted = _ABOUT | (_ABOUT_OPEN if one.division == "open" else {})
        wanted |= {"Tier": "tier"} if one.cells.get("tier") else {}
        about: dict[str, object] = {title: _cell(title, one.cells.get(name, "")) for title, name in wanted.items()}
        home = "/".join((self.repository, one.division, one.cells["Organization"])) if self.repository else ""
        code = "src" if one.cells["version"] >= "v6" else "code"
        details = f"{home}/results/{one.cells['Platform']}" if home else ""
        return Line(self.ids[key], key, about, details, f"{home}/{code}" if home else "")

    def _column(self, one: Result) -> Column:
        rank = (_place(one.benchmark, self.benchmarks), _place(one.scenario, _SCENARIOS), _place(one.unit, _UNITS))
        return Column(rank, one.benchmark, one.scenario, one.unit)


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)


def _cell(title: str, text: str) -> object:
    if title not in _COUNTS:
        return text
    return "" if text in ("", "0") else int(text) if text.isdecimal() else text


def keys(results: tuple[Result, ...]) -> Iterator[str]:
    """The key of every line, each once, in the order of the published table."""
    everything = (
        one.key(suite)
        for division in DIVISIONS
        for suite in SUITES
        for one in results
        if one.division == division and one.is_in(suite)
    )
    return iter(dict.fromkeys(everything))
