"""Runs while they happen, and how the last ones ended."""

from __future__ import annotations

from asyncio import to_thread

from nicegui import ui

from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.runs import RunPart, RunView, read_runs
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, badge, grid, later, notice

EVERY_S = 2.0


def register(state: AppState) -> None:
    """``/runs``."""

    @ui.page("/runs", response_timeout=PATIENCE_S)
    async def live() -> None:
        async def fill() -> None:
            _follow(state, await to_thread(read_runs, state.settings.results))

        with frame(state, "Runs", "/runs"):
            Text("p", "Newest first. This page follows the folders of results by itself.", "soft")
            later(fill, "runs")


def _follow(state: AppState, first: list[RunView]) -> None:
    shown = {"runs": first}

    @ui.refreshable
    def table() -> None:
        if not shown["runs"]:
            notice("No run has left anything yet.", 'Start one in a terminal: cmr "run mlperf inference"')
        for view in shown["runs"]:
            _run(view)

    async def look() -> None:
        runs = await to_thread(read_runs, state.settings.results)
        if runs != shown["runs"]:
            shown["runs"] = runs
            table.refresh()

    table()
    ui.timer(EVERY_S, look, immediate=False)


def _run(view: RunView) -> None:
    with ui.element("section"):
        with ui.element("div").classes("line"):
            Text("h2", view.id)
            badge(view.state, view.state)
        heads = ("Scenario", "Mode", "State", "Time", "Trials", "Last word")
        grid(heads, [_row(part) for part in view.parts], f"parts of {view.id}")


def _row(part: RunPart) -> tuple[str, ...]:
    trials = str(part.trials) if part.trials else ""
    return part.scenario, part.mode, part.state, f"{part.seconds:.0f} s", trials, part.detail
