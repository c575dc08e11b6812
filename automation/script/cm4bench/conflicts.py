"""Things of which there can be one version only (`one_version_per:`), asked for by several steps of a plan.

Ranges of versions are intervals on a line, so if no version suits all requests there are two that exclude each other:
that pair is the whole conflict, and it is what the user is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from .errors import Conflict
from .plan import Edge, Plan, Step
from .values import NamedTuple
from .versions import VersionRange

__all__ = ["Demand", "agree", "demands_of"]


class Demand(NamedTuple):
    """One request for a slot's version: the range, the labels from the root to the step, and the edge that asks."""

    slot: str
    asked: VersionRange
    chain: tuple[str, ...]
    edge: Edge | None
    parent: Step | None


def agree(plan: Plan) -> dict[str, VersionRange]:
    """For each slot that is asked for in different ways, the range that suits all of them.

    Raises:
        Conflict: two requests exclude each other; names both chains and up to two ways out.
    """
    agreed: dict[str, VersionRange] = {}
    for slot, demands in demands_of(plan).items():
        if len({demand.asked for demand in demands}) > 1:
            agreed[slot] = _common(slot, demands)
    return agreed


def demands_of(plan: Plan) -> Mapping[str, Sequence[Demand]]:
    """All demands of the steps that would run, by slot, in the plan's order."""
    found: dict[str, list[Demand]] = {}
    seen: set[str] = set()

    def look(step: Step, chain: tuple[str, ...], edge: Edge | None, parent: Step | None) -> None:
        if step.slot and str(step.asked):
            found.setdefault(step.slot, []).append(Demand(step.slot, step.asked, chain, edge, parent))
        if step.id in seen or step.cached:
            return
        seen.add(step.id)
        for inner in step.edges:
            if inner.step is not None and inner.wanted:
                look(inner.step, (*chain, inner.step.label), inner, step)

    look(plan.root, (plan.root.label,), None, None)
    return found


def _common(slot: str, demands: Sequence[Demand]) -> VersionRange:
    common = VersionRange()
    for demand in demands:
        common = common.meet(demand.asked)
    if common.is_possible():
        return common
    pair = next((a, b) for a, b in combinations(demands, 2) if not a.asked.meet(b.asked).is_possible())
    raise _conflict(slot, *pair)


def _conflict(slot: str, one: Demand, other: Demand) -> Conflict:
    name = slot.rpartition(":")[2]
    lines = [f"no version of {name} suits both of these:"]
    lines += [f"  {demand.asked}  asked by {' → '.join(demand.chain)}" for demand in (one, other)]
    fixes = [fix for fix in (_fix(other), _fix(one)) if fix]
    return Conflict("\n".join(lines), hint="\n   or ".join(dict.fromkeys(fixes)) or "ask for one version less strictly")


def _fix(demand: Demand) -> str:
    """How this demand could be given up: by a flag if its dependency has a name, else in its manifest."""
    if demand.edge is None or demand.parent is None:
        return f"drop {demand.asked} from your request"
    if demand.edge.names:
        return f"--adr.{demand.edge.names[0]}.version=VERSION sets another version for {demand.parent.label}"
    return f"change the version in {demand.parent.script.path / '_cm.yaml'}"
