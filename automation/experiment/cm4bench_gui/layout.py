"""The frame around every page: title, ways to the other pages, light or dark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nicegui import ui

from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text

# How long a page may take before the browser is told that it failed.
PATIENCE_S = 60.0
STYLE = Path(__file__).with_name("style.css")
WAYS = (("Scripts", "/"), ("Runs", "/runs"), ("Results", "/results"), ("Reports", "/reports"))
# What stands there while the browser still reads the libraries.
_SHELL = '<div id="shell">Loading …</div>'
_LOOKS: tuple[tuple[bool | None, str, str], ...] = (
    (None, "brightness_auto", "as the system"),
    (False, "light_mode", "light"),
    (True, "dark_mode", "dark"),
)


@contextmanager
def frame(state: AppState, title: str, here: str) -> Iterator[None]:
    """A page called ``title``; ``here`` is the address of the way that leads to it."""
    ui.page_title(f"{title} – {state.settings.title}")
    ui.add_css(STYLE)
    ui.add_body_html(_SHELL)
    with ui.header().classes("bar"):
        Text("a", "Skip to content", "skip").props["href"] = "#content"
        Text("span", state.settings.title, "brand")
        with ui.element("nav") as nav:
            nav.props["aria-label"] = "Pages"
            for name, address in WAYS:
                _way(name, address, here)
        _look(state)
    # the page itself is a <main> already
    with ui.element("div").classes("content") as content:
        content.props["id"] = "content"
        content.props["tabindex"] = "-1"
        Text("h1", title)
        yield


def _way(name: str, address: str, here: str) -> None:
    link = Text("a", name)
    link.props["href"] = address
    if address == here:
        link.props["aria-current"] = "page"


def _look(state: AppState) -> None:
    """A button that goes round: as the system, light, dark. Kept until the app ends."""
    mode = ui.dark_mode(state.dark)
    button = ui.button(icon="brightness_auto").props("flat round")

    def show() -> None:
        _, icon, name = next(look for look in _LOOKS if look[0] == state.dark)
        button.props(f"icon={icon}")
        button.props["aria-label"] = f"Colours: {name}. Change"

    def change() -> None:
        order = [look[0] for look in _LOOKS]
        state.dark = order[(order.index(state.dark) + 1) % len(order)]
        mode.value = state.dark
        show()

    button.on_click(change)
    show()
