"""What a compliance test found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One thing looked at. `passed` is None where it does not apply; `advice` is what to do about a failure."""

    name: str
    passed: bool | None
    said: str
    advice: str = ""


@dataclass(frozen=True)
class Verdict:
    """The checks of one test, and the files that a submission has of it, by path below its folder."""

    test: str
    checks: tuple[Check, ...]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when nothing failed."""
        return all(check.passed is not False for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.passed is False)


def report(title: str, checks: tuple[Check, ...]) -> str:
    """The text of a verify_*.txt, which ends with the line that submission checkers look for."""
    words = {True: "pass", False: "FAIL", None: "skipped"}
    lines = [title, *(f"{check.name}: {words[check.passed]}: {check.said}" for check in checks)]
    passed = all(check.passed is not False for check in checks)
    return "\n".join([*lines, "TEST PASS" if passed else "TEST FAIL"]) + "\n"
