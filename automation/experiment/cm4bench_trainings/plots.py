"""Curves as plain plotly JSON, drawn by plotly.js inside the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cm4bench_trainings.record import Training
from cm4bench_trainings.series import Course, Line, thinned

Figure = dict[str, Any]


def curves(named: Sequence[tuple[str, Line]], y_title: str, *, logarithmic: bool = False) -> Figure:
    """Lines over the seconds of training, in one drawing."""
    data = [_trace(name, line, len(named) > 1) for name, line in named if line]
    return {"data": data, "layout": _layout(y_title, "log" if logarithmic else "linear")}


def quality(members: Sequence[tuple[Training, Course]]) -> Figure:
    """The quality of several trainings, with the target as a dashed line."""
    named = [(one.name, found.quality) for one, found in members]
    first = members[0][0].quality
    figure = curves(named, first.metric)
    for trace in figure["data"]:
        trace["mode"] = "lines+markers"
    figure["layout"]["shapes"] = [_target(first.target)]
    return figure


def loss(members: Sequence[tuple[Training, Course]]) -> Figure:
    """The loss of several trainings; on a logarithmic axis where it falls far."""
    named = [(one.name, found.loss) for one, found in members]
    return curves(named, "loss of a batch", logarithmic=_falls_far(line for _, line in named))


def learning_rate(members: Sequence[tuple[Training, Course]]) -> Figure:
    """The learning rate of several trainings."""
    return curves([(one.name, found.learning_rate) for one, found in members], "learning rate")


def utilisation(columns: Mapping[str, Line]) -> Figure:
    """Load of processors and GPUs in percent."""
    named = [("processes, % of one core", columns.get("cpu_percent", Line()))]
    named.append(("host, % of all cores", columns.get("host_cpu_percent", Line())))
    named += [(f"GPU {name[3:].partition('_')[0]}, %", columns[name]) for name in _of(columns, "_util_percent")]
    return curves(named, "utilisation, %")


def memory(columns: Mapping[str, Line]) -> Figure:
    """Memory of the processes and on the GPUs in GiB."""
    named = [("processes", _scaled(columns.get("rss_bytes", Line()), 2**-30))]
    named += [(_gpu(name), _scaled(columns[name], 2**-30)) for name in _of(columns, "_memory_bytes")]
    return curves(named, "memory, GiB")


def power(columns: Mapping[str, Line]) -> Figure:
    """Power in watts: all that was metered, and of each GPU."""
    named = [("all that is metered", columns.get("watts", Line()))]
    named += [(_gpu(name), columns[name]) for name in _of(columns, "_power_w")]
    return curves(named, "power, W")


def temperature(columns: Mapping[str, Line]) -> Figure:
    """Temperatures of the GPUs."""
    return curves([(_gpu(name), columns[name]) for name in _of(columns, "_temperature_c")], "temperature, °C")


def _of(columns: Mapping[str, Line], ending: str) -> list[str]:
    return sorted(name for name in columns if name.startswith("gpu") and name.endswith(ending))


def _gpu(column: str) -> str:
    return f"GPU {column[3:].partition('_')[0]}"


def _scaled(line: Line, factor: float) -> Line:
    return Line(line.x, tuple(value * factor for value in line.y))


def _falls_far(lines: Iterable[Line]) -> bool:
    values = [value for line in lines for value in line.y]
    return bool(values) and min(values) > 0 and max(values) > 30 * min(values)


def _trace(name: str, line: Line, several: bool) -> Figure:
    kept = thinned(line)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _plain(name),
        "showlegend": several,
        "line": {"width": 2},
        "x": list(kept.x),
        "y": list(kept.y),
        "hovertemplate": "%{y:.5g} after %{x:.4g} s",
    }


def _plain(name: str) -> str:
    """plotly obeys a few HTML tags in names; a folder's name is none of them."""
    return name.replace("&", "&amp;").replace("<", "&lt;")


def _target(value: float) -> Figure:
    line = {"dash": "dash", "width": 1.5, "color": "gray"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}


def _layout(y_title: str, kind: str) -> Figure:
    return {
        "autosize": True,
        "height": 300,
        "margin": {"l": 60, "r": 12, "t": 8, "b": 44},
        "xaxis": {"title": {"text": "seconds"}, "automargin": True},
        "yaxis": {"title": {"text": _plain(y_title)}, "type": kind, "automargin": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
    }
