"""The report on trainings: one HTML file that needs nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench_database.table import Table, shown
from cm4bench_results.html import environment, packed_plotly, script_safe
from cm4bench_results.store import write_atomically
from cm4bench_results.table import number
from cm4bench_trainings import plots
from cm4bench_trainings.folder import Found
from cm4bench_trainings.record import Training
from cm4bench_trainings.series import Course, course, first_reached, monitored
from cm4bench_trainings.spread import Group, groups
from cm4bench_trainings.table import BRIEF, spread_table, table
from cm4bench_trainings.words import facts, headline, stamps

TEMPLATE = "trainings.html.jinja"


@dataclass(frozen=True)
class Plot:
    """A drawing, and what it says in words for readers who cannot see it."""

    id: str
    title: str
    figure: str
    description: str


@dataclass(frozen=True)
class Section:
    """One training as the report shows it."""

    anchor: str
    training: Training
    headline: str
    stamps: tuple[str, ...]
    converged: tuple[int, float] | None
    facts: Mapping[str, Mapping[str, Any]]
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class Chapter:
    """Trainings of one configuration: their curves together, then each by itself."""

    anchor: str
    title: str
    plots: tuple[Plot, ...]
    sections: tuple[Section, ...]


def write_report(found: Found, target: Path, title: str = "Training results") -> Path:
    """Write the report to ``target``, atomically, and return its path; OSError where that is impossible."""
    write_atomically(target, render(found, title))
    return target


def render(found: Found, title: str) -> str:
    """The report as HTML text. The same results give the same text."""
    parts = groups(found.trainings)
    chapters = [_chapter(index, group) for index, group in enumerate(parts, 1)]
    drawn = any(chapter.plots or any(one.plots for one in chapter.sections) for chapter in chapters)
    template = environment(Path(__file__).parent).get_template(TEMPLATE)
    text: str = template.render(
        title=title,
        stamps=list(dict.fromkeys(stamp for one in found.trainings for stamp in stamps(one))),
        summary=_cells(table(found.trainings, BRIEF)),
        anchors=_anchors(found.trainings, chapters),
        spread=_cells(spread_table(parts)),
        chapters=chapters,
        broken=found.broken,
        plotly=packed_plotly() if drawn else "",
    )
    return text


def _cells(given: Table) -> Table:
    """The table as text."""
    return Table(given.columns, [tuple(map(_cell, row)) for row in given.rows])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else shown(value) or "–"


def _anchors(trainings: Sequence[Training], chapters: Sequence[Chapter]) -> list[str]:
    places = {id(one.training): one.anchor for chapter in chapters for one in chapter.sections}
    return [places[id(one)] for one in trainings]


def _chapter(index: int, group: Group) -> Chapter:
    members = [(one, course(one.folder)) for one in group.trainings]
    drawn = (
        ("Quality", plots.quality(members)),
        ("Loss", plots.loss(members)),
        ("Learning rate", plots.learning_rate(members)),
    )
    sections = tuple(_section(f"training-{index}-{at}", *member) for at, member in enumerate(members, 1))
    return Chapter(f"group-{index}", group.title, _plots(f"group-{index}", drawn), sections)


def _section(anchor: str, one: Training, found: Course) -> Section:
    columns = monitored(one.folder)
    drawn = (
        ("Power", plots.power(columns)),
        ("Utilisation", plots.utilisation(columns)),
        ("Memory", plots.memory(columns)),
        ("Temperature", plots.temperature(columns)),
    )
    return Section(
        anchor=anchor,
        training=one,
        headline=headline(one),
        stamps=stamps(one),
        converged=first_reached(found, one.quality.target, one.quality.higher_is_better),
        facts=facts(one),
        plots=_plots(anchor, drawn),
    )


def _plots(anchor: str, drawn: Sequence[tuple[str, plots.Figure]]) -> tuple[Plot, ...]:
    return tuple(_plot(anchor, title, figure) for title, figure in drawn if figure["data"])


def _plot(anchor: str, title: str, figure: plots.Figure) -> Plot:
    identifier = f"{anchor}-{title.lower().replace(' ', '-')}"
    return Plot(identifier, title, script_safe(json.dumps(figure)), _told(title, figure))


def _told(title: str, figure: plots.Figure) -> str:
    """Each line's first, highest, lowest and last value."""
    lines = (
        f"{trace['name']}: {trace['y'][0]:.4g} at first, {trace['y'][-1]:.4g} at last, "
        f"between {min(trace['y']):.4g} and {max(trace['y']):.4g}"
        for trace in figure["data"]
    )
    return f"{title} over the seconds of training. {'; '.join(lines)}"
