"""Progress for people: a live line on a terminal (rich), plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from .events import Event
from .units import seconds

__all__ = ["Progress"]

_SAID_EVERY_S = 10.0
_WORTH_A_LINE_S = 0.5


class Progress:
    """A listener that prints. `quiet` shows nothing; `verbose` also what was quick or reused, with log files.

    Several steps may be under way at once; on a terminal one live line names them all, with bytes as they arrive.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self._verbose = verbose
        self._running: dict[str, str] = {}
        self._live: Any = None
        self._last_said = 0.0

    def __call__(self, event: Event) -> None:
        if self._quiet:
            return
        self._keep_book(event)
        line = self._line(event)
        if line:
            self._print(line)
        self._refresh()

    def _keep_book(self, event: Event) -> None:
        if event.kind in ("started", "progress", "waiting") and event.depth > 0:
            self._running[event.label] = event.detail
        elif event.kind in ("finished", "failed", "cached"):
            self._running.pop(event.label, None)

    def _line(self, event: Event) -> str:
        indent = "  " * event.depth
        if event.kind == "finished":
            log = f"  log: {event.log}" if self._verbose and event.log else ""
            shown = self._verbose or (event.depth > 0 and event.seconds >= _WORTH_A_LINE_S)
            return f"{indent}✓ {event.label}  {seconds(event.seconds)}{log}" if shown else ""
        if event.kind == "failed":
            return f"{indent}✗ {event.label}  after {seconds(event.seconds)}"
        if event.kind == "waiting":
            return f"{indent}… {event.label}: another process is making it; waiting for that"
        if event.kind == "cached":
            return f"{indent}= {event.label}  {event.detail or 'cached'}" if self._verbose or event.detail else ""
        if event.kind == "progress":
            return f"{indent}… {event.label}  {event.detail}" if self._is_time_to_say() else ""
        if event.kind == "started":
            return f"{indent}▸ {event.label}" if self._verbose and event.depth and not self._stream.isatty() else ""
        return event.detail if event.kind == "note" or self._verbose else ""

    def _is_time_to_say(self) -> bool:
        """Without a live line, bytes are told now and then, so that a log shows that something moves."""
        now = time.monotonic()
        if self._stream.isatty() or now - self._last_said < _SAID_EVERY_S:
            return False
        self._last_said = now
        return True

    def _print(self, line: str) -> None:
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self._stream, flush=True)

    def _refresh(self) -> None:
        """Show, change or take away the live line. It must be gone when the requested script itself prints."""
        if not self._stream.isatty():
            return
        if not self._running:
            self._stop()
            return
        text = "  ".join(f"{label} {detail or '…'}" for label, detail in self._running.items())
        if self._live is None:
            from rich.console import Console

            self._live = Console(file=self._stream).status(text)
            self._live.start()
        else:
            self._live.update(text)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
