"""How an experiment refuses: a cause, and what to type next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ExperimentError(Exception):
    """A diagnosed problem. ``cause`` is a line or two, ``hint`` the next thing to type."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean x?)` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
