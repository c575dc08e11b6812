"""One script: what it is, a form for its command line, and the plan of that command."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import ui

from cm4bench_gui.command import Choice, command_line
from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.planning import PlanPicture, Refusal, draw_plan
from cm4bench_gui.scripts import Sheet, Variation
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, command, facts, grid, notice, scrolled, section

if TYPE_CHECKING:
    from cm4bench.manifest import Input

# More fields than this come with a search of their own.
MANY = 12
# Labels as SVG text: no text of a script ever becomes HTML.
_DRAWING = {
    "securityLevel": "strict", "startOnLoad": False, "theme": "neutral", "htmlLabels": False, "maxTextSize": 500_000,
    "maxEdges": 3000, "flowchart": {"htmlLabels": False, "useMaxWidth": False},
}  # fmt: skip


def register(state: AppState) -> None:
    """``/script?name=ALIAS``."""

    @ui.page("/script", response_timeout=PATIENCE_S)
    async def script(name: str = "") -> None:
        sheet = await to_thread(state.scripts.sheet, name)
        with frame(state, sheet.card.alias if sheet else "No such script", "/"):
            if sheet is None:
                notice(f"There is no script {name!r}.", "The page Scripts lists what there is.", bad=True)
                return
            Text("p", sheet.card.name)
            Builder(state, sheet).show()
            _about(sheet)


class Builder:
    """The form of one script, its command line and its plan. Every change of the form is in the command at once."""

    def __init__(self, state: AppState, sheet: Sheet) -> None:
        self._state = state
        self._sheet = sheet
        self._groups: dict[str, str] = {}
        self._free: dict[str, str] = {}
        self._options: dict[str, str] = {}
        self._wrong: dict[str, str] = {}

    def choice(self) -> Choice:
        """What the form says now."""
        variations = [*self._groups.values(), *self._free.values()]
        options = {name: value for name, value in self._options.items() if value != ""}
        return Choice(self._sheet.call, tuple(filter(None, variations)), options)

    def show(self) -> None:
        """Draw form, command and plan."""
        with section("Command"):
            self._command = command(command_line(self.choice()))
            self._trouble = Text("p", "", "hint")
            self._trouble.props["role"] = "status"
            with ui.element("div").classes("line"):
                self._button = ui.button("Show the plan", on_click=self._plan).props("no-caps")
                Text("span", "Planning runs nothing and downloads nothing.", "soft")
            self._picture = ui.element("div")
            self._picture.props["aria-live"] = "polite"
        self._variations()
        if self._sheet.inputs:
            with section(f"Options ({len(self._sheet.inputs)})"):
                self._inputs()

    def _changed(self) -> None:
        self._command.text = command_line(self.choice())
        self._trouble.text = "; ".join(f"--{name} {why}" for name, why in self._wrong.items())
        self._button.set_enabled(not self._wrong)

    def _variations(self) -> None:
        if not (self._sheet.groups or self._sheet.free):
            return
        with section("Variations"), ui.element("div").classes("form"):
            for group, members in self._sheet.groups.items():
                self._group(group, members)
            for one in self._sheet.free:
                self._single(one)

    def _group(self, group: str, members: tuple[Variation, ...]) -> None:
        fixed = [one for one in members if not one.takes_value]
        default = next((one.name for one in fixed if one.default), "")
        names = {"": f"default: {default}" if default else "not chosen"}
        names.update({one.name: f"_{one.name}" + (f" – {one.help}" if one.help else "") for one in fixed})
        if fixed:
            box = ui.select(names, value="", label=group, on_change=lambda e: self._set(self._groups, group, e.value))
            box.props("outlined dense options-dense")
        for one in members:
            if one.takes_value:
                self._single(one)

    def _single(self, one: Variation) -> None:
        if one.takes_value:
            head = one.name.removesuffix("#")
            self._field(
                f"_{head}…", one.help, lambda value: self._set(self._free, one.name, value and f"{head}{value}")
            )
            return
        text = f"_{one.name}" + (f" – {one.help}" if one.help else "")
        ui.checkbox(text, on_change=lambda e: self._set(self._free, one.name, one.name if e.value else ""))

    def _set(self, where: dict[str, str], name: str, value: object) -> None:
        where[name] = "" if value is None else str(value)
        self._changed()

    def _inputs(self) -> None:
        fields: list[tuple[str, ui.element]] = []
        if len(self._sheet.inputs) > MANY:
            box = ui.input("Find an option", on_change=lambda e: _narrow(fields, str(e.value or "")))
            box.props("debounce=150 clearable outlined dense type=search").classes("q-mb-md")
        with ui.element("div").classes("form"):
            fields += [(f"{item.name} {item.help}".lower(), self._input(item)) for item in self._sheet.inputs]

    def _input(self, item: Input) -> ui.element:
        if item.choices or item.type == "bool":
            names = {"": "not given", **{name: name for name in item.choices or ("yes", "no")}}
            box = ui.select(names, value="", label=f"--{item.name}", on_change=lambda e: self._option(item, e.value))
            box.props("outlined dense options-dense")
            _hint(box, item.help)
            return box
        return self._field(f"--{item.name}", _help(item), lambda value: self._option(item, value))

    def _option(self, item: Input, value: object) -> None:
        text = "" if value is None else str(value)
        self._wrong.pop(item.name, None)
        try:
            if text:
                item.parse(text)
        except ValueError as error:
            self._wrong[item.name] = str(error)
        self._set(self._options, item.name, text)

    def _field(self, label: str, hint: str, changed: Callable[[str], None]) -> ui.element:
        box = ui.input(label, on_change=lambda e: changed(str(e.value or ""))).props("outlined dense debounce=150")
        _hint(box, hint)
        return box

    async def _plan(self) -> None:
        self._button.disable()
        self._picture.clear()
        with self._picture:
            Text("p", "Planning …", "soft")
        found = await to_thread(draw_plan, self._state.scripts, self.choice())
        self._picture.clear()
        with self._picture:
            _show_plan(found)
        self._button.enable()


def _show_plan(found: PlanPicture | Refusal) -> None:
    if isinstance(found, Refusal):
        notice(found.cause, f"next: {found.hint}" if found.hint else "", bad=True)
        return
    Text("p", found.summary).props["role"] = "status"
    if found.drawing:
        with scrolled("plan as a graph; the table below says the same"), ui.element("div").classes("drawing"):
            ui.mermaid(found.drawing, config=_DRAWING)
    else:
        notice(f"{len(found.steps)} steps are too many to draw.")
    rows = [(str(number), step.label, step.state, step.note) for number, step in enumerate(found.steps, 1)]
    grid(("", "Step", "What happens", "Note"), rows, "steps of the plan, in the order in which they run")


def _narrow(fields: list[tuple[str, ui.element]], words: str) -> None:
    asked = words.lower().split()
    for text, element in fields:
        element.set_visibility(all(word in text for word in asked))


def _hint(box: ui.element, text: str) -> None:
    if text:
        box.props["hint"] = text


def _help(item: Input) -> str:
    kind = {"int": "whole number", "float": "number"}.get(item.type, "")
    given = f"default {item.default}" if item.default is not None else ""
    return "; ".join(filter(None, (item.help, kind, given)))


def _about(sheet: Sheet) -> None:
    with section("About"):
        facts((("Tags", " ".join(sheet.card.tags)), ("Category", sheet.card.category), ("Repository", sheet.card.repo)))
    if sheet.outputs:
        with section("Outputs"):
            rows = [(one.key, one.type, one.help) for one in sheet.outputs]
            grid(("Key", "Type", "What it is"), rows, "outputs")
    if sheet.dependencies:
        with section("Depends on"), ui.element("ul"):
            for tags in sheet.dependencies:
                Text("li", tags)
    if sheet.readme:
        with section("README"):
            _readme(sheet.readme)


def _readme(text: str) -> None:
    """Markdown without what it may hold of HTML; the browser then sanitizes what was made of it."""
    import markdown2  # type: ignore[import-untyped]

    ui.html(markdown2.markdown(text, safe_mode="escape", extras=["fenced-code-blocks", "tables"])).classes("readme")
