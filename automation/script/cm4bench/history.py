"""How long steps took the last times, to tell beforehand how long a plan may take."""

from __future__ import annotations

import os

from .blobfile import read_blob, write_blob
from .redact import scrub

__all__ = ["History"]

_KEPT = 5
_SHORTEST_S = 0.05
_VERSION = 1


class History:
    """Seconds per step label, the newest last; the estimate is their median."""

    def __init__(self, store: str | os.PathLike[str]) -> None:
        self._store = store
        self._seconds: dict[str, list[float]] | None = None
        self._dirty = False

    def estimate(self, label: str) -> float | None:
        """Median seconds of the last runs of a step; None if it never ran."""
        runs = sorted(self._load().get(scrub(label), ()))
        return runs[len(runs) // 2] if runs else None

    def add(self, label: str, seconds: float) -> None:
        """Remember a run, unless it was too short to matter to anybody's plans."""
        if seconds < _SHORTEST_S:
            return
        runs = self._load().setdefault(scrub(label), [])
        runs.append(round(seconds, 3))
        del runs[:-_KEPT]
        self._dirty = True

    def save(self) -> None:
        if self._dirty:
            write_blob(self._store, _VERSION, self._seconds)
            self._dirty = False

    def _load(self) -> dict[str, list[float]]:
        if self._seconds is None:
            self._seconds = read_blob(self._store, _VERSION) or {}
        return self._seconds
