"""Plots of results as plain plotly JSON. Names are data: what looks like markup is shown as it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from cm4bench_gui.results import NUMBERS, Row

Figure = dict[str, Any]

# Eight hues that stay apart for colour-blind readers (Okabe and Ito, 2008), and a symbol each for print.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a6d3b", "#777777")
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "hexagon")
MOST_GROUPS = len(_COLORS)
OTHERS = "others"
_LONGEST, _WHOLE = 40, 200
# Letters of a name below the axis, and most of such names.
_TICK, _TICKS = 22, 80
_WIDE = 1000


def scatter(rows: Sequence[Row], x: str, y: str, color: str) -> Figure:
    """One point per row; ``x``, ``y`` and ``color`` are columns. The most frequent groups get a colour of their own."""
    groups = _grouped(rows, color)
    traces = [_trace(name, members, x, y, number) for number, (name, members) in enumerate(groups.items())]
    layout = _layout(_title(x, rows), _title(y, rows))
    if _is_wide(rows, y):
        layout["yaxis"] |= {"type": "log", "title": {"text": f"{_title(y, rows)}, logarithmic"}}
    if x not in (*NUMBERS, "created"):
        layout["xaxis"] |= _categories(rows, x)
    return {"data": traces, "layout": layout, "config": CONFIG}


def _is_wide(rows: Sequence[Row], column: str) -> bool:
    """Whether the lesser values would all lie on the line of zero."""
    values = [row[column] for row in rows]
    return bool(values) and min(values) > 0 and max(values) > _WIDE * min(values)


def mixed_units(rows: Sequence[Row]) -> bool:
    """Whether values of several units would share an axis."""
    return len({str(row["unit"]).lower() for row in rows}) > 1


CONFIG: Mapping[str, Any] = {"displaylogo": False, "responsive": True, "showEditInChartStudio": False}


def label(column: str) -> str:
    """A column's name as people read it."""
    return column.replace("_", " ").capitalize()


def plain(value: Any) -> str:
    """Text that plotly shows letter by letter: it reads a small part of HTML in every text."""
    return escape(str(value)[:_WHOLE], quote=False)


def _grouped(rows: Sequence[Row], color: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row.get(color) or "–"), []).append(row)
    order = sorted(found, key=lambda name: -len(found[name]))
    kept = order if len(order) <= MOST_GROUPS else order[: MOST_GROUPS - 1]
    groups = {name: found[name] for name in kept}
    rest = [row for name in order[len(kept) :] for row in found[name]]
    return {**groups, OTHERS: rest} if rest else groups


def _trace(name: str, rows: Sequence[Row], x: str, y: str, number: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"),
        "marker": {"color": _COLORS[number], "symbol": _SYMBOLS[number], "size": 9, "opacity": 0.8},
        "x": [_place(row[x], x) for row in rows],
        "y": [_place(row[y], y) for row in rows],
        "text": [f"{plain(row['submitter'] or row['source'])}: {plain(row['system'] or row['id'])}" for row in rows],
        "hovertemplate": "%{text}<br>%{x} → %{y:.4g}<extra></extra>",
    }


def _place(value: Any, column: str) -> Any:
    if column in NUMBERS:
        return value
    return plain(value)


def _categories(rows: Sequence[Row], x: str) -> Figure:
    """Ticks for names: shortened where they are written, whole where they are told apart."""
    names = list(dict.fromkeys(str(row[x]) for row in rows))
    short = [name if len(name) <= _TICK else f"{name[:_TICK]}…" for name in names]
    ticks = {"tickvals": list(map(plain, names)), "ticktext": list(map(plain, short))} if len(names) <= _TICKS else {}
    return {"type": "category", **ticks}


def _title(column: str, rows: Sequence[Row]) -> str:
    if column != "value" and not column.startswith("per_"):
        return label(column)
    if mixed_units(rows):
        return f"{label(column)}, several units"
    return f"{label(column)}, {plain(rows[0]['unit'])}" if rows else label(column)


def _layout(x: str, y: str) -> Figure:
    line = {"gridcolor": "rgba(128,128,128,.25)", "zerolinecolor": "rgba(128,128,128,.5)", "automargin": True}
    return {
        "autosize": True,
        "margin": {"l": 12, "r": 12, "t": 8, "b": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {**line, "title": {"text": x}},
        "yaxis": {**line, "title": {"text": y}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "showlegend": True,
        "hovermode": "closest",
    }
