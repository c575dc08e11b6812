"""What would happen: steps, the edges between them and the reason for each. Plain values; nothing here runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .environment import Pending
from .manifest import Script, Source
from .values import NamedTuple
from .versions import VersionRange

__all__ = ["Edge", "Outcome", "Plan", "Step"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Outcome(NamedTuple):
    """What a step gives back to whoever called it. In a plan, values may still be Pending.

    `tags`: cache tags that only became known while it ran; `depends_on`: a path without which it is worth nothing;
    `withheld`: keys that were too secret to be kept (`state ` before those of the state).
    """

    new_env: Mapping[str, Any] = _EMPTY
    new_state: Mapping[str, Any] = _EMPTY
    version: str = ""
    deps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    depends_on: str = ""
    withheld: tuple[str, ...] = ()

    def completed(self, given: Mapping[str, Any]) -> Outcome:
        """With the withheld values that whoever calls the step has given it."""
        own = {key: given[key] for key in self.withheld if key in given}
        return self._replace(new_env={**own, **self.new_env}) if own else self


class Edge(NamedTuple):
    """One dependency of a step. `step` is None where it is not wanted or cannot be named yet.

    `wanted` is None while the condition waits for the values in `waits_on`.
    """

    phase: str
    query: str
    wanted: bool | None
    because: str = ""
    step: Step | None = None
    waits_on: tuple[Pending, ...] = ()
    names: tuple[str, ...] = ()


class Step(NamedTuple):
    """One script with everything that decides what it does. Steps with equal `id` are the same step.

    `ingredients` is what `id` was computed from, by name, so that a miss can be explained by comparing two of them;
    `produced` holds the identities of all steps inside. `undecided`: something inside hangs on values that only a run
    can tell. `slot` names what there can be one version of only, `asked` the versions this step would accept.
    """

    id: str
    script: Script
    label: str
    variations: Mapping[str, str]
    version: str
    selected_because: str
    caches: bool
    cached: bool
    miss: str
    edges: tuple[Edge, ...]
    outcome: Outcome
    ingredients: Mapping[str, Any]
    runs_code: bool = True
    sources: tuple[Source, ...] = ()
    produced: frozenset[str] = frozenset()
    undecided: bool = False
    slot: str = ""
    asked: VersionRange = VersionRange()

    @property
    def cache_tags(self) -> tuple[str, ...]:
        tags = [*self.script.tags, *(f"_{v}" for v in self.variations), f"script-artifact-{self.script.uid}"]
        tags += [f"version-{self.version}"] if self.version else []
        return tuple(dict.fromkeys([*tags, *self.ingredients.get("extra_cache_tags", ())]))


class Plan(NamedTuple):
    """The steps that answer a request. `root` is the requested script; shared steps appear once in `steps()`."""

    root: Step
    request: str = ""

    def steps(self) -> list[Step]:
        """Each distinct step once, dependencies before the step that needs them (what is cached hides its inside)."""
        found: dict[str, Step] = {}
        _post_order(self.root, found, set())
        return list(found.values())

    def all_steps(self, *, supposed: bool = False) -> list[Step]:
        """Each step once, dependencies first, also inside of what is cached; `supposed`: behind undecided edges too."""
        found: dict[str, Step] = {}
        stack: list[tuple[Step, bool]] = [(self.root, False)]
        while stack:
            step, expanded = stack.pop()
            if expanded:
                found.setdefault(step.id, step)
            elif step.id not in found:
                stack.append((step, True))
                edges = (e for e in reversed(step.edges) if e.wanted or (supposed and e.wanted is None))
                stack += [(e.step, False) for e in edges if e.step is not None]
        return list(found.values())

    def to_run(self) -> list[Step]:
        return [step for step in self.steps() if not step.cached]

    def undecided(self) -> list[tuple[Step, Edge]]:
        return [(s, e) for s in self.steps() if not s.cached for e in s.edges if e.wanted is None]


def _post_order(step: Step, found: dict[str, Step], entered: set[str]) -> None:
    if step.id in entered:
        return
    entered.add(step.id)
    for edge in () if step.cached else step.edges:
        if edge.step is not None and edge.wanted:
            _post_order(edge.step, found, entered)
    found[step.id] = step
