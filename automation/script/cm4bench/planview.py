"""A plan as text for people and as plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .history import History
from .plan import Edge, Plan, Step
from .units import megabytes, seconds

__all__ = ["plan_data", "plan_lines"]


def plan_lines(plan: Plan, history: History) -> Iterator[str]:
    """The plan as an indented tree; each step with what happens to it and why. A repeated step is only named."""
    yield from _tree(plan.root, None, 0, history, set())
    yield ""
    yield _summary(plan, history)


def _summary(plan: Plan, history: History) -> str:
    steps, to_run = plan.steps(), plan.to_run()
    size = sum(source.size for step in to_run for source in step.sources)
    times = [history.estimate(step.label) for step in to_run if step.runs_code]
    known = [t for t in times if t is not None]
    parts = [f"{len(steps)} steps: {len(steps) - len(to_run)} cached, {len(to_run)} to run"]
    parts.append(f"{megabytes(size)} to download" if size else "nothing known to download")
    if known:
        untimed = f" ({len(times) - len(known)} steps never timed)" if len(known) < len(times) else ""
        parts.append(f"about {seconds(sum(known))} by earlier runs{untimed}")
    waiting = plan.undecided()
    if waiting:
        parts.append(f"{len(waiting)} decided on the way")
    return "; ".join(parts)


def _tree(step: Step, edge: Edge | None, depth: int, history: History, seen: set[str]) -> Iterator[str]:
    indent = "  " * depth
    if step.id in seen and step.edges and not step.cached:
        yield f"{indent}· {step.label}  (above)"
        return
    yield f"{indent}{_mark(step, edge)} {step.label}{_remarks(step, edge, history)}"
    seen.add(step.id)
    if step.cached:
        return
    for child in step.edges:
        if child.wanted is False:
            continue
        if child.step is None:
            yield f"{indent}  ? {child.query}  {_waiting(child)}"
        else:
            yield from _tree(child.step, child, depth + 1, history, seen)


def _mark(step: Step, edge: Edge | None) -> str:
    if edge is not None and edge.wanted is None:
        return "?"
    return "=" if step.cached else "+"


def _remarks(step: Step, edge: Edge | None, history: History) -> str:
    remarks = []
    if step.cached:
        remarks.append("cached")
    elif step.caches:
        remarks.append(f"to make: {step.miss}" if step.miss else "to make")
    for source in () if step.cached else step.sources:
        remarks.append(f"downloads {source.name} {megabytes(source.size) if source.size else 'of unknown size'}")
    duration = None if step.cached else history.estimate(step.label)
    if duration is not None and duration >= 0.1:
        remarks.append(f"about {seconds(duration)}")
    if edge is not None and edge.wanted is None:
        remarks.append(_waiting(edge))
    elif edge is not None and edge.because:
        remarks.append(f"because {edge.because}")
    if step.selected_because != "the only match":
        remarks.append(step.selected_because)
    return f"  [{'; '.join(remarks)}]" if remarks else ""


def _waiting(edge: Edge) -> str:
    needs = ", ".join(f"{p.key} from {p.by or 'an earlier step'}" for p in edge.waits_on)
    return f"decided when known: {needs} ({edge.because})"


def plan_data(plan: Plan, history: History) -> dict[str, Any]:
    """The plan as JSON-ready data; `steps` in the order in which they would run."""
    return {
        "request": plan.request,
        "root": plan.root.id,
        "summary": _summary(plan, history),
        "steps": [_step_data(step, history) for step in plan.steps()],
    }


def _step_data(step: Step, history: History) -> dict[str, Any]:
    return {
        "id": step.id,
        "script": step.script.alias,
        "uid": step.script.uid,
        "label": step.label,
        "variations": dict(step.variations),
        "version": step.version,
        "cached": step.cached,
        "why_not_cached": step.miss,
        "selected_because": step.selected_because,
        "estimated_seconds": history.estimate(step.label),
        "downloads": [{"name": s.name, "size": s.size, "sha256": s.sha256} for s in step.sources],
        "needs": [
            {
                "phase": e.phase,
                "query": e.query,
                "wanted": e.wanted,
                "because": e.because,
                "step": e.step.id if e.step else None,
                "waits_on": [p.key for p in e.waits_on],
            }
            for e in step.edges
        ],
    }
