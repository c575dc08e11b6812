"""Why: this script and not another, these variations; who needs it, whether it is cached, what it reads and gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..catalog import Catalog, offers
from ..engine import Engine, Request
from ..environment import Pending
from ..manifest import Script
from ..plan import Edge, Plan, Step
from ..query import Query, parse_query
from ..redact import scrub

__all__ = ["Explanation", "explain", "explanation_data", "explanation_lines"]

_MOST_CHAINS = 4
_MOST_OTHERS = 6


class Rejected(NamedTuple):
    """A script that was not chosen, and why."""

    script: Script
    why: str


class Need(NamedTuple):
    """One way from the request to a step: edges from the root down, empty for the request itself."""

    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]


class Explanation(NamedTuple):
    """All that a plan knows about one step."""

    query: str
    step: Step
    rejected: tuple[Rejected, ...]
    needs: tuple[Need, ...]
    perhaps: str = ""


def explain(engine: Engine, query: str, request: Request | None = None) -> list[Explanation]:
    """The steps that answer `query` within the plan of `request` (by itself without one). Nothing is run.

    Raises:
        CMBenchError: nothing answers the query, or the request cannot be planned.
    """
    plan = engine.plan(request or Request(query))
    asked = _with_tags(engine, query)
    found = [step for step in plan.all_steps() if _answers(step, asked)] if request else [plan.root]
    if found:
        return [_explained(engine, query, asked, step)._replace(needs=tuple(_needs(plan, step))) for step in found]
    return [_outside(engine, query, asked, plan)]


def _explained(engine: Engine, query: str, asked: Query, step: Step, perhaps: str = "") -> Explanation:
    return Explanation(query, step, tuple(_rejected(engine.catalog, asked, step.script)), (), perhaps)


def _with_tags(engine: Engine, query: str) -> Query:
    """The query, an alias or uid turned into the tags of its script."""
    asked = parse_query(query)
    script = engine.catalog.by_name(asked.tags[0]) if len(asked.tags) == 1 else None
    return asked._replace(tags=script.tags) if script and not engine.catalog.has_tag(asked.tags[0]) else asked


def _outside(engine: Engine, query: str, asked: Query, plan: Plan) -> Explanation:
    """The script is not for certain in the plan: explain it alone, and say where it hangs."""
    step = engine.plan(Request(query)).root
    for parent in plan.all_steps():
        for edge in parent.edges:
            same = edge.step is not None and edge.step.script.path == step.script.path
            if edge.wanted is None and same:
                waits = ", ".join(pending.key for pending in edge.waits_on)
                why = f"{parent.label} decides on it when {waits} is known ({edge.because})"
                return _explained(engine, query, asked, edge.step or step, why)
            if edge.wanted is False and _would_take(engine.catalog, edge.query, step.script):
                return _explained(engine, query, asked, step, f"{parent.label} does not need it here: {edge.because}")
    return _explained(engine, query, asked, step, "no step of this plan needs it")


def _would_take(catalog: Catalog, query: str, script: Script) -> bool:
    """Is this the script that a dependency would have taken?"""
    return any(found.path == script.path for found in catalog.find(parse_query(query))[:1])


def _answers(step: Step, asked: Query) -> bool:
    tags, variations = set(step.script.tags), set(step.variations)
    if not set(asked.tags) <= tags or set(asked.excluded_tags) & tags:
        return False
    return set(asked.variations) <= variations and not set(asked.excluded_variations) & variations


def _rejected(catalog: Catalog, asked: Query, chosen: Script) -> Iterator[Rejected]:
    """Scripts with the same tags, each with what spoke against it."""
    order = [script.path for script in catalog.find(asked)]
    for script in catalog.find(Query(asked.tags)):
        if script.path == chosen.path:
            continue
        before = script.path in order and chosen.path in order and order.index(script.path) < order.index(chosen.path)
        why = f"{chosen.alias} is in the cache already" if before else _against(script, chosen, asked)
        yield Rejected(script, why)
    for aside in catalog.set_aside:
        if set(asked.tags) <= {*aside.path.name.split("-"), aside.path.name}:
            yield Rejected(Script(aside.path, catalog.repos[0], {}), f"set aside: {aside.cause}")


def _against(script: Script, first: Script, asked: Query) -> str:
    excluded = [tag for tag in asked.excluded_tags if tag in script.tags]
    if excluded:
        return f"it has the tag {excluded[0]!r}, which was excluded"
    missing = [v for v in (*asked.variations, *asked.excluded_variations) if not offers(script, v)]
    if missing:
        return f"it has no variation {', '.join(missing)!r}"
    if script.sort != first.sort:
        return f"its sort key {script.sort} is higher than {first.sort}"
    if script.repo != first.repo:
        return f"its repository {script.repo.alias} comes after {first.repo.alias}"
    return f"its path comes later in the alphabet: {script.path.name}"


def _needs(plan: Plan, target: Step) -> Iterator[Need]:
    """Ways from the root to a step, the shortest first, at most a handful."""
    queue = [Need((plan.root,), ())]
    told, known = 0, dict[str, bool]()
    visits: Counter[str] = Counter()
    while queue and told < _MOST_CHAINS:
        way = queue.pop(0)
        here = way.steps[-1]
        visits[here.id] += 1
        if here.id == target.id:
            told += 1
            yield way
        if here.id == target.id or visits[here.id] > _MOST_CHAINS:  # the number of ways doubles with every diamond
            continue
        for edge in here.edges:
            if edge.step is not None and edge.wanted and _leads_to(edge.step, target.id, known):
                queue.append(Need((*way.steps, edge.step), (*way.edges, edge)))


def _leads_to(step: Step, target: str, known: dict[str, bool]) -> bool:
    if step.id not in known:
        known[step.id] = step.id == target or any(
            e.step is not None and bool(e.wanted) and _leads_to(e.step, target, known) for e in step.edges
        )
    return known[step.id]


def explanation_lines(found: Explanation) -> Iterator[str]:
    """The explanation for people."""
    step = found.step
    yield f"{step.label}  ({step.script.path})"
    yield from _choice_lines(found)
    yield from _variation_lines(step)
    yield from _need_lines(found)
    yield f"cache: {_cache_words(step)}"
    yield from _read_lines(step)
    yield from _given_lines(step)


def _choice_lines(found: Explanation) -> Iterator[str]:
    yield f"chosen for “{found.query}”: {found.step.selected_because}"
    for script, why in found.rejected[:_MOST_OTHERS]:
        yield f"  not {script.alias}: {why}"
    if len(found.rejected) > _MOST_OTHERS:
        yield f"  and {len(found.rejected) - _MOST_OTHERS} more"


def _variation_lines(step: Step) -> Iterator[str]:
    yield "variations:" if step.variations else "variations: none"
    groups = {
        name: [other for other, body in step.script.variations.items() if _group(body) == _group(own) != ""]
        for name, own in ((name, step.script.variations.get(name)) for name in step.variations)
    }
    for name, why in step.variations.items():
        others = [f"_{other}" for other in groups[name] if other != name]
        yield f"  _{name}: {why}" + (f"; in place of {' '.join(others[:8])}" if others else "")
    if step.version:
        yield f"version: {step.version}"


def _group(body: Any) -> str:
    return str(body.get("group") or "") if isinstance(body, Mapping) else ""


def _need_lines(found: Explanation) -> Iterator[str]:
    if found.perhaps:
        yield f"needed: {found.perhaps}"
        return
    if any(not need.edges for need in found.needs):
        yield "needed: it is what was asked for"
        return
    yield "needed:"
    for need in found.needs:
        yield f"  {need.steps[0].label}"
        for depth, (edge, step) in enumerate(zip(need.edges, need.steps[1:], strict=True), start=1):
            why = f", because {edge.because}" if edge.because else ""
            yield f"  {'  ' * depth}└ {step.label}  ({edge.phase}: {edge.query}{why})"


def _cache_words(step: Step) -> str:
    if not step.caches:
        return "not cached: its manifest does not ask for it, so it runs each time"
    if step.cached:
        return "reused: recipe, variations, version and inputs are those of the entry, and its files are intact"
    return f"has to be made: {step.miss or 'never made before'}"


def _read_lines(step: Step) -> Iterator[str]:
    reads = inputs_of(step)
    yield "reads:" if reads else "reads: nothing from outside"
    for key, value in reads.items():
        yield f"  {key} = {value}"


def inputs_of(step: Step) -> dict[str, str]:
    """Keys from outside that the step's own text can read, with their values; secrets are redacted."""
    made = "(from another step)"
    inputs: Mapping[str, str] = step.ingredients["inputs"]
    return {key: str(scrub(text[1:].strip("'"), key)) if text[0] == "=" else made for key, text in inputs.items()}


def _given_lines(step: Step) -> Iterator[str]:
    gives = outputs_of(step)
    yield "gives:" if gives else "gives: nothing but what it does"
    for key, value in gives.items():
        if value is not None:
            yield f"  {key} = {value}"
    later = [key for key, value in gives.items() if value is None]
    if later:
        yield f"  when it has run: {' '.join(later)}"


def outputs_of(step: Step) -> dict[str, str | None]:
    """What the step gives back; None for values that only a run can tell."""
    values = step.outcome.new_env
    return {k: None if isinstance(v, Pending) else str(scrub(v, k)) for k, v in sorted(values.items())}


def explanation_data(found: Explanation) -> dict[str, Any]:
    """The explanation for programs."""
    step = found.step
    return {
        "query": found.query,
        "script": step.script.alias,
        "uid": step.script.uid,
        "path": str(step.script.path),
        "label": step.label,
        "selected_because": step.selected_because,
        "rejected": [{"script": script.alias, "path": str(script.path), "why": why} for script, why in found.rejected],
        "variations": dict(step.variations),
        "needed_by": [[one.label for one in need.steps] for need in found.needs],
        "undecided": found.perhaps,
        "cached": step.cached,
        "cache": _cache_words(step),
        "reads": inputs_of(step),
        "gives": outputs_of(step),
    }
