"""The one exception of the package: a diagnosed failure."""

from __future__ import annotations


class PowerError(Exception):
    """A failure whose cause is known: `cause` in one or two lines, `hint` what to do or type next."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


class ConnectionLost(PowerError):
    """The other side closed the connection, or did not answer in time."""
