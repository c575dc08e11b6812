"""Reports: opened in a tab of their own, and written anew for whoever has the token."""

from __future__ import annotations

import time
from asyncio import to_thread
from typing import TYPE_CHECKING

from nicegui import ui

from cm4bench_gui.layout import PATIENCE_S, frame
from cm4bench_gui.reports import POLICY, ReportError, ReportFile, find_reports, report_of, write_report
from cm4bench_gui.state import AppState
from cm4bench_gui.widgets import Text, notice, section

if TYPE_CHECKING:
    from fastapi import FastAPI


def register(state: AppState, app: FastAPI) -> None:
    """``/reports``, and ``/report/KEY`` for the file itself."""
    from starlette.responses import FileResponse, PlainTextResponse, Response

    @app.get("/report/{key}")
    def report(key: str) -> Response:
        found = report_of(state.settings.results, key)
        if found is None:
            return PlainTextResponse("no such report", 404)
        return FileResponse(found.path, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    @ui.page("/reports", response_timeout=PATIENCE_S)
    async def reports() -> None:
        with frame(state, "Reports", "/reports"):
            _write(state)
            _list(await to_thread(find_reports, state.settings.results))


def _list(found: list[ReportFile]) -> None:
    with section("Reports"):
        if not found:
            notice("No report yet.", "A run writes one at its end; cm report experiment writes one of all results.")
            return
        with ui.element("ul").classes("cards"):
            for one in found:
                with ui.element("li"):
                    with ui.element("h3"):
                        link = Text("a", one.path.parent.name or str(one.path))
                        link.props["href"], link.props["target"] = f"/report/{one.key}", "_blank"
                    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.written))
                    Text("p", f"{made}, {one.size / 1e6:.1f} MB, {one.path}", "soft")


def _write(state: AppState) -> None:
    if not state.settings.results:
        return
    with section("Write a report"), ui.element("div").classes("form"):
        folders = list(state.settings.results)
        folder = ui.select(folders, value=folders[0], label="Results folder").props("outlined dense")
        token = ui.input("Token (printed at start)", password=True).props("outlined dense autocomplete=off")

        async def write() -> None:
            try:
                path = await to_thread(write_report, str(folder.value), str(token.value or ""), state.token)
            except ReportError as error:
                ui.notify(str(error), type="negative")
                return
            ui.notify(f"written: {path}", type="positive")
            ui.navigate.reload()

        ui.button("Write the report", on_click=write).props("no-caps")
