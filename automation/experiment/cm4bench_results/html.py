"""The report: one HTML file that needs nothing but itself. It asks for no network and forbids it to its own scripts."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cm4bench_results.plots import MARKED, latency_figure, percentile_label
from cm4bench_results.record import LoadgenRun, ResultRecord, Validity, dumps
from cm4bench_results.stamp import stamps, verdict
from cm4bench_results.store import write_atomically
from cm4bench_results.table import NOT_RUN, Row, headline, heads, number, row_of

TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Plot:
    """A drawing with what it says in words, for readers who cannot see it, and its percentiles as text."""

    id: str
    figure: str
    description: str
    percentiles: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """One record as the report shows it."""

    anchor: str
    record: ResultRecord
    row: Row
    verdict: Validity
    stamps: tuple[str, ...]
    headline: str
    metric: str
    plot: Plot | None
    request: Mapping[str, Any]
    host: Mapping[str, Any]
    source: str


def write_report(records: Sequence[ResultRecord], target: Path, title: str = "MLPerf inference results") -> Path:
    """Write the report on ``records`` to ``target``, atomically, and return its path; OSError if it cannot."""
    write_atomically(target, render(records, title))
    return target


def render(records: Sequence[ResultRecord], title: str) -> str:
    """The report on ``records`` as HTML text."""
    sections = [_section(index, record) for index, record in enumerate(records)]
    has_plots = any(section.plot for section in sections)
    template = environment().get_template(TEMPLATE)
    text: str = template.render(
        title=title,
        sections=sections,
        stamps=list(dict.fromkeys(stamp for section in sections for stamp in section.stamps)),
        heads=heads([section.row for section in sections]),
        plotly=packed_plotly() if has_plots else "",
    )
    return text


@cache
def packed_plotly() -> str:
    """plotly.js from the plotly package, gzipped and in base64: 40 % of its size. The browser unpacks it."""
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return base64.b64encode(gzip.compress(source.encode(), mtime=0)).decode()


def environment(*folders: Path) -> Any:
    """Templates of ``folders`` and of this package (`base.html.jinja` is the page around any report), all escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([*folders, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, shown=_shown)
    return made


def _section(index: int, record: ResultRecord) -> Section:
    figure = headline(record)
    return Section(
        anchor=f"result-{index + 1}",
        record=record,
        row=row_of(record),
        verdict=verdict(record),
        stamps=stamps(record),
        headline=f"{number(figure.value)} {figure.unit}" if figure else NOT_RUN,
        metric=figure.metric if figure else "no figure",
        plot=_plot(f"plot-{index + 1}", record),
        request=asdict(record.request),
        host=asdict(record.host),
        source=dumps(record),
    )


def _plot(identifier: str, record: ResultRecord) -> Plot | None:
    run = _plotted_run(record.runs)
    if run is None or run.latency is None:
        return None
    latency = run.latency
    known = [(fraction, latency.at(fraction)) for fraction in MARKED]
    percentiles = tuple((percentile_label(fraction), f"{number(ms)} ms") for fraction, ms in known if ms is not None)
    described = ", ".join(f"{label} {value}" for label, value in percentiles)
    return Plot(
        id=identifier,
        figure=script_safe(json.dumps(latency_figure(latency))),
        description=f"Cumulative distribution of {latency.source} over {latency.count:,} values: {described}",
        percentiles=(*percentiles, ("values", f"{latency.count:,}")),
    )


def _plotted_run(runs: Iterable[LoadgenRun]) -> LoadgenRun | None:
    """The run whose latencies count: performance before any other, never the accuracy run."""
    timed = [run for run in runs if run.latency is not None and run.latency.cumulative() and run.mode != "accuracy"]
    return min(timed, key=lambda run: run.mode != "performance", default=None)


def script_safe(text: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _shown(value: Any) -> str:
    """A configuration value as a reader writes it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "–"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
