"""The one error of this package."""

from __future__ import annotations


class SubmissionError(Exception):
    """What stands in the way of a submission.

    Attributes:
        cause: what is wrong, one screen at most.
        hint: the next command to type; may be empty.
    """

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint
