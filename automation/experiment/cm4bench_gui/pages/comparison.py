"""One result in full, and two side by side."""

from __future__ import annotations

from asyncio import to_thread
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from nicegui import ui

from cm4bench_gui.charts import label
from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.pages.plots import figure
from cm4bench_gui.results import SHOWN, NoResults, Row
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, facts, grid, notice, plot, section
from cm4bench_results.table import number

if TYPE_CHECKING:
    from cm4bench_compare import Noise

_NO_FACTS = ("value", "metric", "unit", "better")


def register(state: AppState) -> None:
    """``/result?id=ID`` and ``/compare?a=ID&b=ID``."""

    @ui.page("/result", response_timeout=PATIENCE_S)
    async def result(id: str = "") -> None:
        with frame(state, "Result", "/results"):
            rows = await _figures(state, id)
            if rows:
                _one(rows)

    @ui.page("/compare", response_timeout=PATIENCE_S)
    async def compare(a: str = "", b: str = "") -> None:
        with frame(state, "Two results", "/results"):
            first, second = await _figures(state, a), await _figures(state, b)
            if first and second:
                _two(first, second, await _noise(state, first[0], second[0]))


async def _figures(state: AppState, result: str) -> list[Row]:
    try:
        rows = await to_thread(state.results.figures, result)
    except NoResults as error:
        notice(str(error))
        return []
    if not rows:
        notice(f"There is no result {result!r}.", "The page Results lists what there is.", bad=True)
    return rows


async def _noise(state: AppState, a: Row, b: Row) -> Noise | None:
    """Of our own runs; what others publish has another one, which nobody told."""
    if a["source"] != "own" or b["source"] != "own":
        return None
    return await to_thread(state.results.noise, a, b)


def _one(rows: list[Row]) -> None:
    row = rows[0]
    Text("p", str(row["id"]), "soft")
    facts([("Value", figure(row)), *((label(name), _shown(row[name])) for name in SHOWN if _told(row, name))])
    with section("All figures"):
        grid(("Figure", "Value", "Unit"), _figure_rows(rows), "figures")
    _latencies(rows)


def _two(first: list[Row], second: list[Row], noise: Noise | None) -> None:
    a, b = first[0], second[0]
    Text("p", verdict(a, b, noise))
    names = [name for name in SHOWN if name not in _NO_FACTS and (_told(a, name) or _told(b, name))]
    rows = [("Value", figure(a), figure(b)), *((label(n), _shown(a[n]), _shown(b[n])) for n in names)]
    marked = [number for number, row in enumerate(rows) if row[1] != row[2]]
    with section("Side by side"):
        Text("p", "Rows that differ are marked.", "soft")
        grid(("", "First", "Second"), rows, "two results side by side", marked)
    with ui.element("div").classes("line"):
        for name, row in (("The first in full", a), ("The second in full", b)):
            Text("a", name).props["href"] = "/result?" + urlencode({"id": str(row["id"])})


def verdict(a: Row, b: Row, noise: Noise | None = None) -> str:
    """What the two values say about each other under the noise, or why they cannot be compared."""
    from cm4bench_compare import compare as judge
    from cm4bench_compare import sentence

    for name in ("model", "scenario", "tier", "metric", "unit"):
        if str(a[name]).lower() != str(b[name]).lower():
            return f"Their values cannot be compared: {name} {a[name]!r} and {b[name]!r}."
    if not (a["value"] and b["value"]) or min(a["value"], b["value"]) < 0:
        return "Their values cannot be compared: one is missing or not positive."
    if not a["better"]:
        return f"The second is {b['value'] / a['value']:.4g} times the first."
    found = judge([a["value"]], [b["value"]], higher_is_better=a["better"] == "higher", noise=noise)
    words = sentence(found, "the second", str(a["unit"]), str(a["metric"]))
    return f"{words[0].upper()}{words[1:]}."


def _figure_rows(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(str(row["metric"]), "–" if row["value"] is None else number(row["value"]), row["unit"]) for row in rows]


def _latencies(rows: list[Row]) -> None:
    """The distribution of latencies, of our own records."""
    from cm4bench_results import RecordError
    from cm4bench_results.plots import latency_figure
    from cm4bench_results.store import load_file

    if rows[0]["source"] != "own" or not rows[0]["path"]:
        return
    try:
        run_ = load_file(Path(str(rows[0]["path"]))).run("performance")
    except RecordError:
        return
    if run_ is not None and run_.latency is not None and run_.latency.cumulative():
        with section("Latency"):
            plot(latency_figure(run_.latency), f"cumulative distribution of {run_.latency.source}")


def _told(row: Row, name: str) -> bool:
    return name not in _NO_FACTS and row[name] not in (None, "")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
