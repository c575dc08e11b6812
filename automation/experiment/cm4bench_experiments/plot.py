"""The points of an experiment as one page of HTML: the first two objectives, the Pareto front as a line."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cm4bench_experiments.choice import front
from cm4bench_experiments.figures import Configuration, Objective
from cm4bench_experiments.view import settings_text
from cm4bench_results.store import write_atomically

_MOST_TICKS = 24


def write_plot(found: Sequence[Configuration], objectives: Sequence[Objective], title: str, target: Path) -> Path:
    """Write a page that needs no network. With one objective the other axis is the order of the points."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=_layout(found, objectives, title))
    best = front(found, objectives)
    others = [one for one in found if one.runs and not any(one is other for other in best)]
    figure.add_trace(go.Scatter(mode="markers", name="points", **_places(others, found, objectives)))
    # from the best down to the next best, and only then across: between two points the lesser one is what can be had
    line = {"mode": "lines+markers", "line": {"shape": "vh"}, "marker": {"size": 11}}
    figure.add_trace(go.Scatter(name="Pareto front", **line, **_places(best, found, objectives)))
    write_atomically(target, str(figure.to_html(include_plotlyjs=True, full_html=True)))
    return target


def _layout(found: Sequence[Configuration], objectives: Sequence[Objective], title: str) -> dict[str, Any]:
    across = _axis(found, objectives[1]) if len(objectives) > 1 else "configuration, in order"
    return {
        "title": {"text": html.escape(title)},
        "xaxis": {"title": {"text": across}, **_ticks(found, objectives)},
        "yaxis": {"title": {"text": _axis(found, objectives[0])}},
        "hovermode": "closest",
    }


def _ticks(found: Sequence[Configuration], objectives: Sequence[Objective]) -> dict[str, Any]:
    """Of what is varied, the values that it was given: there is no half thread."""
    given = {one.settings.get(objectives[1].name) for one in found} if len(objectives) > 1 else {None}
    numbers = sorted(value for value in given if isinstance(value, int | float))
    return {"tickvals": numbers} if len(numbers) == len(given) <= _MOST_TICKS else {}


def _axis(found: Sequence[Configuration], objective: Objective) -> str:
    figure = next((figure for one in found if (figure := one.figure(objective.name))), None)
    if figure is None:
        return html.escape(objective.name)
    return html.escape(f"{figure.metric}, {figure.unit}" if figure.unit else figure.metric)


def _places(some: Sequence[Configuration], found: Sequence[Configuration], objectives: Sequence[Objective]) -> Any:
    order = {id(one): index for index, one in enumerate(found, 1)}
    across = [_value(one, objectives[1]) if len(objectives) > 1 else order[id(one)] for one in some]
    up, texts = [_value(one, objectives[0]) for one in some], [html.escape(settings_text(one.settings)) for one in some]
    hover = "%{text}<br>%{y:.4g}, %{x:.4g}<extra></extra>"
    return {"x": across, "y": up, "error_y": _spread(some, objectives[0]), "text": texts, "hovertemplate": hover}


def _spread(some: Sequence[Configuration], objective: Objective) -> dict[str, Any]:
    """From the least to the greatest of the repeats."""
    repeats = [[figure.value for figure in one.values.get(objective.name, ())] or [0.0] for one in some]
    middle = [_value(one, objective) or 0.0 for one in some]
    over = [max(values) - at if len(values) > 1 else 0.0 for values, at in zip(repeats, middle, strict=True)]
    under = [at - min(values) if len(values) > 1 else 0.0 for values, at in zip(repeats, middle, strict=True)]
    return {"type": "data", "symmetric": False, "array": over, "arrayminus": under, "thickness": 1, "width": 3}


def _value(one: Configuration, objective: Objective) -> float | None:
    figure = one.figure(objective.name)
    return figure.value if figure else None
