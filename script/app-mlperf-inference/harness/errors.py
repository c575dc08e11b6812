"""The one exception of the harness: a diagnosed failure."""

from __future__ import annotations


class HarnessError(Exception):
    """A failure whose cause is known.

    `kind` is a stable word for programs (see `outcome.Failure`), `cause` one or two lines for people, `hint` what to do
    or type next.
    """

    def __init__(self, kind: str, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.kind = kind
        self.cause = cause
        self.hint = hint
