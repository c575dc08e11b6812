"""One start of the web app: a socket on the loopback, the pages behind the guard, the token on the terminal."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import replace
from urllib.parse import quote

from cm4bench_gui.guard import App, Guard
from cm4bench_gui.settings import PAGES, Settings, SettingsError
from cm4bench_gui.state import AppState

HOST = "127.0.0.1"


def serve(settings: Settings) -> None:
    """Serve until Ctrl-C. Raises :class:`SettingsError` where the port cannot be had."""
    import uvicorn

    listening = _listen(settings.port)
    port = int(listening.getsockname()[1])
    state = AppState.of(replace(settings, port=port))
    app = build(state)
    _announce(state)
    # the first page shall not wait for what every page needs
    threading.Thread(target=state.scripts.cards, daemon=True).start()
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listening])


def build(state: AppState) -> App:
    """The whole application, to be served at the port of its settings. Once per process: NiceGUI has one app."""
    from fastapi import FastAPI
    from nicegui import ui

    from cm4bench_gui import pages

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pages.register(state, app)
    # No gzip: packing costs more than the loopback saves. No Tailwind: it is compiled in the browser, at every page.
    ui.run_with(
        app, title=state.settings.title, dark=None, language="en-US", tailwind=False, gzip_middleware_factory=None,
        show_welcome_message=False, binding_refresh_interval=None,
        # a busy machine is slow, not gone
        reconnect_timeout=30.0,
    )  # fmt: skip
    return Guard(app, state.settings.port)


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        # whoever follows the address before the app is up shall wait, not be turned away
        listening.listen(64)
    except OSError as error:
        listening.close()
        cause = error.strerror or str(error)
        raise SettingsError(f"port {port} cannot be used ({cause}); next: --port=0 takes any free one") from None
    return listening


def _announce(state: AppState) -> None:
    settings = state.settings
    address = f"http://{HOST}:{settings.port}"
    start = address + _start(state)
    print(
        f"cm4bench web app: {start}", f"token for writing: {state.token.text}", "Ctrl-C ends it", sep="\n", flush=True
    )
    if settings.browser:
        import webbrowser

        if not webbrowser.open(start):
            print("no browser could be opened: open the address above", file=sys.stderr)


def _start(state: AppState) -> str:
    settings = state.settings
    if not settings.script:
        return PAGES[settings.page]
    alias = state.scripts.alias_of(settings.script)
    if not alias:
        raise SettingsError(f"no script fits {settings.script!r}; next: cm find script --tags=TAG")
    return f"/script?name={quote(alias)}"
