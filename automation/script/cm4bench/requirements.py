"""What a script needs of the host (`requires:`), judged while planning: before anything is fetched or run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import Conflict
from .values import NamedTuple
from .versions import compare

__all__ = ["Requirement", "first_unmet", "read_requirements", "refuse_unmet"]


class Requirement(NamedTuple):
    """`fact` must be one of `values`, or a version of at least `at_least`. `by` names the manifest block asking."""

    fact: str
    values: tuple[str, ...] = ()
    at_least: str = ""
    why: str = ""
    hint: str = ""
    by: str = ""

    def met(self, facts: Mapping[str, Any]) -> bool:
        """A fact that nobody could read refuses nothing."""
        if self.fact not in facts:
            return True
        found = str(facts[self.fact])
        if self.values and found not in self.values:
            return False
        return not self.at_least or compare(found, self.at_least) >= 0


def read_requirements(block: Mapping[str, Any], by: str) -> list[Requirement]:
    """The `requires:` list of a manifest block: `{fact, is | at_least, why, hint}` each."""
    return [
        Requirement(
            fact=str(item["fact"]),
            values=tuple(str(v) for v in (item["is"] if isinstance(item.get("is"), list) else [item["is"]]))
            if "is" in item
            else (),
            at_least=str(item.get("at_least") or ""),
            why=str(item.get("why") or ""),
            hint=str(item.get("hint") or ""),
            by=by,
        )
        for item in block.get("requires") or ()
    ]


def first_unmet(requirements: Iterable[Requirement], facts: Mapping[str, Any]) -> Requirement | None:
    """The first requirement that the host does not meet."""
    return next((r for r in requirements if not r.met(facts)), None)


def refuse_unmet(requirements: Iterable[Requirement], facts: Mapping[str, Any]) -> None:
    """Raises Conflict with what was needed, what is there, and what to do."""
    unmet = first_unmet(requirements, facts)
    if unmet is None:
        return
    wanted = f">= {unmet.at_least}" if unmet.at_least else " or ".join(unmet.values)
    cause = f"{unmet.by} needs {unmet.fact} {wanted}; this host has {facts[unmet.fact]}"
    hint = (
        unmet.hint or f"--assume.{unmet.fact}={unmet.values[0] if unmet.values else unmet.at_least} plans as if it had"
    )
    raise Conflict(f"{cause}{' (' + unmet.why + ')' if unmet.why else ''}", hint=hint)
