"""Small parts that every page is made of. Text goes in as text: none of these takes HTML."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """One HTML element with text in it: a heading, a paragraph, a line of code."""

    def __init__(self, tag: str, text: str, classes: str = "") -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)


@contextmanager
def section(title: str, *, level: int = 2) -> Iterator[None]:
    """A part of a page under a heading."""
    with ui.element("section"):
        Text(f"h{level}", title)
        yield


@contextmanager
def scrolled(what: str) -> Iterator[None]:
    """Room for something wide: it scrolls by itself, also by keyboard, and the page does not."""
    with ui.element("div").classes("scrolled") as box:
        box.props["tabindex"] = "0"
        box.props["role"] = "region"
        box.props["aria-label"] = what
        yield


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, one under the other."""
    with ui.element("dl"):
        for name, value in pairs:
            Text("dt", name)
            Text("dd", value)


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], what: str, marked: Sequence[int] = ()) -> None:
    """A plain table of text; ``marked`` are numbers of rows to point out."""
    with scrolled(what), ui.element("table").classes("grid"):
        with ui.element("thead"), ui.element("tr"):
            for head in heads:
                Text("th", head).props["scope"] = "col"
        with ui.element("tbody"):
            for number, row in enumerate(rows):
                with ui.element("tr").classes("marked" if number in marked else ""):
                    for cell in row:
                        Text("td", cell)


def notice(text: str, hint: str = "", *, bad: bool = False) -> None:
    """Something to know, with what to do about it."""
    with ui.element("div").classes("notice bad" if bad else "notice") as box:
        box.props["role"] = "alert" if bad else "status"
        Text("p", text)
        if hint:
            Text("p", hint, "hint")


def badge(text: str, kind: str = "") -> None:
    """A word about the state of something."""
    Text("span", text, f"badge {kind}")


def command(text: str) -> Text:
    """A command line with a button that copies it; the returned element holds the text."""
    with ui.element("div").classes("command"):
        with scrolled("command line"):
            shown = Text("pre", text)
        button = ui.button("Copy", on_click=lambda: _copy(shown.text)).props("outline no-caps")
        button.props["aria-label"] = "Copy the command line"
    return shown


def _copy(text: str) -> None:
    ui.clipboard.write(text)
    ui.notify("Copied", type="positive")


def plot(figure: dict[str, Any], what: str) -> None:
    """A plotly figure, with the words that say what it shows."""
    with ui.element("figure").classes("plot") as box:
        box.props["role"] = "img"
        box.props["aria-label"] = what
        ui.plotly(figure)


def later(fill: Callable[[], Awaitable[None]], what: str) -> None:
    """Room that is filled once the page stands in the browser; until then it says what is being read."""
    place = ui.element("div")
    place.props["aria-busy"] = "true"
    with place:
        Text("p", f"Reading {what} …", "soft").props["role"] = "status"

    async def go() -> None:
        place.clear()
        with place:
            await fill()
        place.props["aria-busy"] = "false"
        place.update()

    ui.timer(0, go, once=True)
