"""The pages of the web app, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cm4bench_gui.state import AppState

if TYPE_CHECKING:
    from fastapi import FastAPI


def register(state: AppState, app: FastAPI) -> None:
    """Give every page its address."""
    from cm4bench_gui.pages import browse, comparison, live, plots, reporting, script

    for module in (browse, script, live, plots, comparison):
        module.register(state)
    reporting.register(state, app)
