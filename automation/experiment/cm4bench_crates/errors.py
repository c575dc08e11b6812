"""How packing and reproducing refuse: a cause, and what to type next."""

from __future__ import annotations


class CrateError(Exception):
    """A diagnosed problem. ``cause`` is a line or two, ``hint`` the next thing to type."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint
