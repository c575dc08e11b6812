"""What a rule says about a submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

# Parts of division/submitter/system/benchmark/scenario: every result below it is meant.
Scope = tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One objection.

    Attributes:
        rule: name of the rule that objects.
        severity: an error makes results unfit for submission, a warning does not.
        path: the file or folder it is about, relative to the submission.
        cause: what is wrong, in words.
        remedy: what to do about it, or what to type.
        scope: the results that it spoils, by the parts of their place; None for the submission as a whole.
    """

    rule: str
    severity: Severity
    path: str
    cause: str
    remedy: str
    scope: Scope | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.cause}; {self.remedy} [{self.rule}]"

    def spoils(self, place: Scope) -> bool:
        """Whether a result at a place cannot be submitted because of this."""
        return self.severity == "error" and self.scope is not None and place[: len(self.scope)] == self.scope


def severity(*, severe: bool) -> Severity:
    """An error where it is severe, else a warning."""
    return "error" if severe else "warning"


def printable(text: str) -> str:
    """A path or value that every terminal and file can take: odd bytes and control characters are escaped."""
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in safe)
