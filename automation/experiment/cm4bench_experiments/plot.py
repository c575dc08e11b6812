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


def write_plot(found: Sequence[Configuration], objectives: Sequence[Objective], title: str, target: Path) -> Path:
    """Write a page that needs no network. With one objective the other axis is the order of the points."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=_layout(found, objectives, title))
    best = front(found, objectives)
    others = [one for one in found if one.runs and not any(one is other for other in best)]
    figure.add_trace(go.Scatter(mode="markers", name="points", **_places(others, found, objectives)))
    line = {"mode": "lines+markers", "line": {"shape": "hv"}, "marker": {"size": 11}}
    figure.add_trace(go.Scatter(name="Pareto front", **line, **_places(best, found, objectives)))
    write_atomically(target, str(figure.to_html(include_plotlyjs=True, full_html=True)))
    return target


def _layout(found: Sequence[Configuration], objectives: Sequence[Objective], title: str) -> dict[str, Any]:
    across = _axis(found, objectives[1]) if len(objectives) > 1 else "configuration, in order"
    return {
        "title": {"text": html.escape(title)},
        "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": _axis(found, objectives[0])}},
        "hovermode": "closest",
    }


def _axis(found: Sequence[Configuration], objective: Objective) -> str:
    figure = next((figure for one in found if (figure := one.figure(objective.name))), None)
    if figure is None:
        return html.escape(objective.name)
    return html.escape(f"{figure.metric}, {figure.unit}" if figure.unit else figure.metric)


def _places(some: Sequence[Configuration], found: Sequence[Configuration], objectives: Sequence[Objective]) -> Any:
    order = {id(one): index for index, one in enumerate(found, 1)}
    across = [_value(one, objectives[1]) if len(objectives) > 1 else order[id(one)] for one in some]
    up, texts = [_value(one, objectives[0]) for one in some], [html.escape(settings_text(one.settings)) for one in some]
    return {"x": across, "y": up, "text": texts, "hovertemplate": "%{text}<br>%{y:.4g}, %{x:.4g}<extra></extra>"}


def _value(one: Configuration, objective: Objective) -> float | None:
    figure = one.figure(objective.name)
    return figure.value if figure else None
