"""The one exception of the training harness: a diagnosed failure."""

from __future__ import annotations


class TrainingError(Exception):
    """What went wrong, in words for the user. ``kind`` is one word for programs, ``hint`` the next thing to type."""

    def __init__(self, kind: str, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.kind = kind
        self.cause = cause
        self.hint = hint
