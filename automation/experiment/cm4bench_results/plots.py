"""Plots as plain plotly JSON: dictionaries of ``data`` and ``layout``, drawn by plotly.js inside the report."""

from __future__ import annotations

from typing import Any

from cm4bench_results.record import LatencyProfile

MARKED = (0.5, 0.9, 0.99)
Figure = dict[str, Any]


def percentile_label(fraction: float) -> str:
    """How a fraction is written: 0.5 → p50, 0.999 → p99.9."""
    return f"p{fraction * 100:.4g}"


def latency_figure(latency: LatencyProfile) -> Figure:
    """The cumulative distribution of ``latency`` with p50, p90 and p99 marked; x in milliseconds, y in percent."""
    curve = {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "line": {"shape": "linear", "width": 2},
        "x": [ms for ms, _ in latency.cumulative()],
        "y": [100 * share for _, share in latency.cumulative()],
        "hovertemplate": "%{y:.4g} % within %{x:.4g} ms<extra></extra>",
    }
    return {"data": [curve, *_marks(latency)], "layout": _layout(latency)}


def _marks(latency: LatencyProfile) -> list[Figure]:
    found = [(fraction, latency.at(fraction)) for fraction in MARKED]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{percentile_label(fraction)} {ms:.4g} ms",
            "marker": {"size": 11, "symbol": symbol},
            "x": [ms],
            "y": [100 * fraction],
            "hovertemplate": f"{percentile_label(fraction)}: %{{x:.4g}} ms<extra></extra>",
        }
        for (fraction, ms), symbol in zip(found, ("circle", "diamond", "square"), strict=True)
        if ms is not None
    ]


def _layout(latency: LatencyProfile) -> Figure:
    shortest, longest = (latency.cumulative()[end][0] for end in (0, -1))
    spread = longest / shortest if shortest > 0 else 1.0
    return {
        "autosize": True,
        "height": 320,
        "margin": {"l": 52, "r": 12, "t": 8, "b": 44},
        # A long tail hides the body of a linear axis.
        "xaxis": {
            "title": {"text": f"{latency.source}, ms"},
            "type": "log" if spread > 20 else "linear",
            "automargin": True,
        },
        "yaxis": {"title": {"text": "share, %"}, "range": [0, 102]},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
    }
