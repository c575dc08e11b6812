"""What a chosen command would do: the engine's plan as a drawing and as a list. Nothing runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cm4bench_gui.command import Choice
from cm4bench_gui.scripts import Scripts

if TYPE_CHECKING:
    from cm4bench.plan import Step

# The drawing of a larger plan is no help; its list still is.
MOST_DRAWN = 150


@dataclass(frozen=True)
class PlanStep:
    """One step. ``state`` is what happens to it, ``note`` what it fetches or why it is not cached."""

    label: str
    state: str
    note: str


@dataclass(frozen=True)
class PlanPicture:
    """A plan to look at. ``drawing`` is a Mermaid flowchart, empty where there are too many steps for one."""

    summary: str
    steps: tuple[PlanStep, ...]
    drawing: str


@dataclass(frozen=True)
class Refusal:
    """Why there is no plan, and what to type next."""

    cause: str
    hint: str


def draw_plan(scripts: Scripts, choice: Choice) -> PlanPicture | Refusal:
    """The plan of ``choice``, or why there can be none."""
    from cm4bench.engine import Request
    from cm4bench.errors import CMBenchError
    from cm4bench.planview import plan_data
    from cm4bench.tools.planmermaid import mermaid_lines

    engine = scripts.engine()
    try:
        plan = engine.plan(Request(choice.request, options=dict(choice.options)))
    except CMBenchError as error:
        return Refusal(error.cause, error.hint or "")
    except RecursionError:
        return Refusal("the dependencies never end: a script depends on itself", "")
    steps = plan.steps()
    drawing = "\n".join(mermaid_lines(plan)) if len(steps) <= MOST_DRAWN else ""
    summary = str(plan_data(plan, engine.history)["summary"])
    return PlanPicture(summary, tuple(map(_step, steps)), drawing)


def _step(step: Step) -> PlanStep:
    from cm4bench.units import megabytes

    if step.cached:
        return PlanStep(step.label, "cached", "")
    notes = [f"downloads {one.name} {megabytes(one.size) if one.size else 'of unknown size'}" for one in step.sources]
    notes += [step.miss] if step.miss else []
    return PlanStep(step.label, "to make" if step.caches else "to run", "; ".join(notes))
