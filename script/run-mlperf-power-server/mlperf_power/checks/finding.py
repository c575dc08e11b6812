"""One objection to a power measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do.

    Attributes:
        rule: name of the rule that objects.
        severity: an error makes the result unfit for submission; a warning is what an auditor would ask about.
        path: the file or folder, as the folder to check was given.
        cause: what is wrong, in words.
        remedy: what to do, or to type.
    """

    rule: str
    severity: Severity
    path: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.cause}; {self.remedy} [{self.rule}]"
