"""Scripts: found by words and by category."""

from __future__ import annotations

from asyncio import to_thread
from urllib.parse import urlencode

from nicegui import ui

from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.scripts import Card
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, later

MOST_SHOWN = 36
EVERY = "all categories"


def register(state: AppState) -> None:
    """``/``, and ``/?q=WORDS`` to start with a search."""

    @ui.page("/", response_timeout=PATIENCE_S)
    async def browse(q: str = "") -> None:
        async def fill() -> None:
            _search(await to_thread(state.scripts.cards), q)

        with frame(state, "Scripts", "/"):
            later(fill, "scripts")


def _search(cards: list[Card], words: str) -> None:
    chosen = {"words": words, "category": ""}

    @ui.refreshable
    def found() -> None:
        asked = str(chosen["words"]).lower().replace(",", " ").split()
        fitting = [card for card in cards if card.fits(asked, chosen["category"])]
        Text("p", f"{len(fitting)} of {len(cards)} scripts", "soft").props["role"] = "status"
        _cards(fitting[:MOST_SHOWN])
        if len(fitting) > MOST_SHOWN:
            Text("p", f"The first {MOST_SHOWN} are shown. Add a word to see the others.", "soft")

    def change(name: str, value: object) -> None:
        chosen[name] = "" if value in (None, EVERY) else str(value)
        found.refresh()

    categories = [EVERY, *sorted({card.category for card in cards}, key=str.lower)]
    with ui.element("div").classes("form") as form:
        form.props["role"] = "search"
        box = ui.input("Words of tags, names or what it is", value=words, on_change=lambda e: change("words", e.value))
        box.props("debounce=200 clearable outlined dense type=search")
        ui.select(categories, value=EVERY, label="Category", on_change=lambda e: change("category", e.value)).props(
            "outlined dense"
        )
    found()


def _cards(cards: list[Card]) -> None:
    with ui.element("ul").classes("cards"):
        for card in cards:
            with ui.element("li"):
                with ui.element("h3"):
                    Text("a", card.alias).props["href"] = address(card.alias)
                Text("p", card.name)
                Text("p", " ".join(card.tags[:8]), "soft")


def address(alias: str) -> str:
    """Where the page of a script is."""
    return f"/script?{urlencode({'name': alias})}"
