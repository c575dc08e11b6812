"""Results: filtered, plotted, listed; two of them chosen for comparison."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from starlette.requests import Request

from cm4bench_gui import charts
from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.results import FILTERS, NUMBERS, PAGE, TEXTS, Filter, NoResults, Row, Slice
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, grid, later, notice, plot, section
from cm4bench_results.table import number

_COLUMNS = (("result", "Result"), ("what", "Model, scenario"), ("value", "Value"), ("accuracy", "Accuracy"),
            ("valid", "Valid"), ("made", "Made"))  # fmt: skip
# How names and numbers of foreign files are drawn: Vue writes {{ }} as text.
_NAME_CELL = '<q-td :props="props"><a :href="props.row.link">{{ props.value }}</a></q-td>'
_PICK_CELL = '<q-checkbox v-model="props.selected" :aria-label="\'Choose \' + props.row.result" />'


def register(state: AppState) -> None:
    """``/results``; columns of :data:`FILTERS` and ``x``, ``y``, ``color`` may stand in the address."""

    @ui.page("/results", response_timeout=PATIENCE_S)
    async def results(request: Request) -> None:
        with frame(state, "Results", "/results"):
            view = View(state, dict(request.query_params))
            later(view.show, "results")


class View:
    """What one browser tab asks for, and what it is shown."""

    def __init__(self, state: AppState, given: dict[str, str]) -> None:
        axes = state.settings.axes
        self._results = state.results
        self._limit = axes.limit
        self._columns = {name: given.get(name, "") for name in FILTERS}
        self._text = given.get("q", "")
        self._valid = given.get("valid") == "1"
        self._axes = {"x": given.get("x") or axes.x or "system", "y": given.get("y") or axes.y or "value",
                      "color": given.get("color") or axes.color or "source"}  # fmt: skip
        self._offset = 0
        self._picked: list[str] = []

    async def show(self) -> None:
        """Draw the form, then what fits it; or why there is nothing to draw."""
        try:
            await self._show()
        except NoResults as error:
            notice(str(error))

    async def _show(self) -> None:
        choices = await to_thread(self._results.choices)
        self._form({name: found for name, found in choices.items() if found})
        with section("Plot"):
            self._axes_form()
            self._plot = ui.element("div")
        with section("Table"):
            self._compare = ui.element("div").classes("line")
            self._table = ui.element("div")
        await self._refresh()
        aside = await to_thread(self._results.set_aside)
        if aside:
            with section("Set aside"):
                grid(("File", "Why"), aside, "files that hold no readable result")

    def _filter(self) -> Filter:
        return Filter(self._columns, self._text, self._valid)

    def _form(self, choices: dict[str, list[str]]) -> None:
        with ui.element("div").classes("form tight") as form:
            form.props["role"] = "search"
            box = ui.input("Part of a name", value=self._text, on_change=self._setter("_text"))
            box.props("debounce=250 clearable outlined dense type=search")
            for name, found in choices.items():
                self._filter_box(name, found)
            ui.checkbox("valid results only", value=self._valid, on_change=self._setter("_valid"))

    def _filter_box(self, name: str, found: list[str]) -> None:
        names = {"": "any", **{value: value for value in found}}

        async def change(event: Any) -> None:
            self._columns[name] = str(event.value or "")
            self._offset = 0
            await self._refresh()

        value = self._columns[name] if self._columns[name] in names else ""
        self._columns[name] = value
        ui.select(names, value=value, label=charts.label(name), on_change=change).props("outlined dense options-dense")

    def _setter(self, attribute: str) -> Callable[[Any], Any]:
        async def change(event: Any) -> None:
            setattr(self, attribute, event.value or type(getattr(self, attribute))())
            self._offset = 0
            await self._refresh()

        return change

    def _axes_form(self) -> None:
        offered = {"x": (*TEXTS, *NUMBERS), "y": NUMBERS, "color": TEXTS}
        with ui.element("div").classes("form tight"):
            for axis, names in offered.items():
                self._axes[axis] = self._axes[axis] if self._axes[axis] in names else names[0]
                options = {name: charts.label(name) for name in names}
                head = {"x": "Across", "y": "Up", "color": "Colour"}[axis]
                box = ui.select(options, value=self._axes[axis], label=head, on_change=self._axis(axis))
                box.props("outlined dense options-dense")

    def _axis(self, axis: str) -> Callable[[Any], Any]:
        async def change(event: Any) -> None:
            self._axes[axis] = str(event.value)
            await self._draw()

        return change

    async def _refresh(self) -> None:
        await self._draw()
        await self._list()

    async def _draw(self) -> None:
        x, y, color = (self._axes[name] for name in ("x", "y", "color"))
        found = await to_thread(self._results.points, self._filter(), (x, y, color), self._limit)
        self._plot.clear()
        with self._plot:
            _draw(found, x, y, color)

    async def _list(self) -> None:
        found = await to_thread(self._results.page, self._filter(), self._offset)
        self._picked = []
        self._table.clear()
        with self._table:
            table = ui.table(rows=list(map(_cells, found.rows)), columns=_heads(), row_key="id", selection="multiple")
            table.props('flat dense hide-pagination :rows-per-page-options="[0]"')
            table.add_slot("body-cell-result", _NAME_CELL)
            table.add_slot("body-selection", _PICK_CELL)
            table.add_slot("header-selection", "<span></span>")
            table.on_select(lambda e: self._pick([str(row["id"]) for row in e.selection]))
            self._turn(found)
        self._pick([])

    def _turn(self, found: Slice) -> None:
        last = min(self._offset + PAGE, found.total)
        with ui.element("div").classes("line"):
            Text("span", f"{self._offset + 1 if found.total else 0} – {last} of {found.total:,}").props["role"] = (
                "status"
            )
            ui.button("Back", on_click=lambda: self._go(-PAGE)).props("outline no-caps").set_enabled(self._offset > 0)
            ui.button("On", on_click=lambda: self._go(PAGE)).props("outline no-caps").set_enabled(last < found.total)

    async def _go(self, by: int) -> None:
        self._offset = max(0, self._offset + by)
        await self._list()

    def _pick(self, ids: list[str]) -> None:
        self._picked = ids
        self._compare.clear()
        with self._compare:
            if len(ids) == 2:
                link = Text("a", "Compare the two that are chosen")
                link.props["href"] = "/compare?" + urlencode({"a": ids[0], "b": ids[1]})
            else:
                Text("span", f"Choose two results to compare them ({len(ids)} chosen).", "soft")


def _draw(found: Slice, x: str, y: str, color: str) -> None:
    if not found.rows:
        notice("Nothing fits these filters and has a value on both axes.")
        return
    words = f"{charts.label(y)} by {charts.label(x).lower()} of {len(found.rows):,} results, coloured by {color}"
    plot(charts.scatter(found.rows, x, y, color), words)
    if charts.mixed_units(found.rows) and y not in ("accuracy", "power_w"):
        notice("These values have several units. Choose a model and a scenario to see what can be compared.")
    if found.total > len(found.rows):
        Text("p", f"{len(found.rows):,} of {found.total:,} points are drawn, chosen evenly.", "soft")


def _heads() -> list[dict[str, Any]]:
    return [{"name": name, "label": text, "field": name, "align": "left"} for name, text in _COLUMNS]


def _cells(row: Row) -> dict[str, Any]:
    who = str(row["submitter"] or row["source"])
    valid = {True: "yes", False: "no"}.get(row["valid"], "not told")
    return {
        "id": row["id"],
        "link": "/result?" + urlencode({"id": str(row["id"])}),
        "result": f"{who}: {row['system'] or row['id']}",
        "what": f"{row['model']}, {row['scenario']}",
        "value": figure(row),
        "accuracy": "" if row["accuracy"] is None else f"{row['accuracy']:.5g} {row['accuracy_metric'] or ''}".strip(),
        "valid": valid,
        "made": str(row["created"] or row["round"] or ""),
    }


def figure(row: Row) -> str:
    """A result's value with its unit and name."""
    if row["value"] is None:
        return "–"
    return f"{number(row['value'])} {row['unit']} ({row['metric']})"
