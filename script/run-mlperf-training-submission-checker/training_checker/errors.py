"""The one error of this package."""

from __future__ import annotations


class CheckError(Exception):
    """What cannot be checked at all: cause, and what to do next."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint
