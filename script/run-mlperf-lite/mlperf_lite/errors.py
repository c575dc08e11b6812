"""How MLPerf-Lite refuses: a cause, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LiteError(Exception):
    """A diagnosed problem. ``cause`` is a line or two, ``hint`` the next thing to type."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean x?` for the nearest known word, else the list of all."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
