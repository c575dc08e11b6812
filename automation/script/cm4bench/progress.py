"""Progress for people: a live line on a terminal (rich), plain lines everywhere else."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from .events import Event
from .planview import seconds

__all__ = ["Progress"]


class Progress:
    """A listener that prints. `quiet` shows failures only; `verbose` also what was reused, with log files."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self._verbose = verbose
        self._live: Any = None
        self._depth_of_live = -1

    def __call__(self, event: Event) -> None:
        if self._quiet:
            return
        if event.kind == "started":
            self._start(event)
        else:
            self._stop()
            line = self._line(event)
            if line:
                print(line, file=self._stream, flush=True)

    def _line(self, event: Event) -> str:
        indent = "  " * event.depth
        if event.kind == "finished":
            log = f"  log: {event.log}" if self._verbose and event.log else ""
            return f"{indent}✓ {event.label}  {seconds(event.seconds)}{log}" if self._worth_a_line(event) else ""
        if event.kind == "failed":
            return f"{indent}✗ {event.label}  after {seconds(event.seconds)}"
        if event.kind == "waiting":
            return f"{indent}… {event.label}: another process is making it; waiting for that"
        if event.kind == "cached":
            return f"{indent}= {event.label}  {event.detail or 'cached'}" if self._verbose or event.detail else ""
        return event.detail if event.kind == "note" or self._verbose else ""

    def _worth_a_line(self, event: Event) -> bool:
        return self._verbose or event.seconds >= 0.5

    def _start(self, event: Event) -> None:
        self._stop()
        if event.depth == 0:
            return
        if self._stream.isatty():
            self._spin(event)
        elif self._verbose:
            print(f"{'  ' * event.depth}▸ {event.label}", file=self._stream, flush=True)

    def _spin(self, event: Event) -> None:
        from rich.console import Console

        self._live = Console(file=self._stream).status(f"{event.label} …")
        self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
