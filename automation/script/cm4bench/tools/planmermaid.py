"""A plan as a Mermaid flowchart, as GitHub, GitLab and many editors draw it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..plan import Edge, Plan, Step

__all__ = ["mermaid_lines"]

_STYLES = (
    "classDef cached fill:#e6f4ea,stroke:#34a853,color:#000",
    "classDef torun fill:#fff,stroke:#555,color:#000",
    "classDef perhaps fill:#fff,stroke:#555,stroke-dasharray:4 3,color:#000",
)


def mermaid_lines(plan: Plan) -> Iterator[str]:
    """Arrows lead from a step to what it needs; a dashed arrow is decided on the way."""
    steps = plan.all_steps()
    names = {step.id: f"s{number}" for number, step in enumerate(steps)}
    for _, edge in plan.undecided():
        if edge.step is not None and edge.step.id not in names:
            names[edge.step.id] = f"s{len(names)}"
            steps.append(edge.step)
    yield "flowchart TD"
    sure = {step.id for step in plan.all_steps()}
    for step in steps:
        yield f'  {names[step.id]}["{_label(step)}"]:::{_style(step, step.id in sure)}'
    for step in steps:
        yield from _arrows(step, names)
    yield from (f"  {style}" for style in _STYLES)


def _arrows(step: Step, names: dict[str, str]) -> Iterator[str]:
    drawn = set()
    for edge in step.edges:
        if edge.wanted is False or edge.step is None or edge.step.id not in names or edge.step.id in drawn:
            continue
        drawn.add(edge.step.id)
        yield f"  {names[step.id]} {_arrow(edge)} {names[edge.step.id]}"


def _arrow(edge: Edge) -> str:
    line = "-->" if edge.wanted else "-.->"
    return f'{line}|"{_text(edge.because)}"|' if edge.because else line


def _label(step: Step) -> str:
    state = "cached" if step.cached else "to make" if step.caches else ""
    return _text(step.label) + (f"<br/>{state}" if state else "")


def _style(step: Step, sure: bool) -> str:
    return "perhaps" if not sure else "cached" if step.cached else "torun"


def _text(text: str) -> str:
    """Mermaid ends a text at a quote, and reads # as the start of a character's number."""
    return re.sub(r'[#"<>&`|]', lambda found: f"#{ord(found[0])};", " ".join(text.split()))
