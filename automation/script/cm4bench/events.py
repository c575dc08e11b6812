"""What happens during a run, as values handed to a listener. The engine prints nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Event", "Listener", "silent"]


class Event(NamedTuple):
    """`kind`: planned, started, progress, finished, cached, failed, waiting, note.

    `depth` counts from the requested script.
    """

    kind: str
    label: str = ""
    depth: int = 0
    seconds: float = 0.0
    detail: str = ""
    log: Path | None = None


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener for library use."""
