"""The report on trainings as Markdown, for issues, commits and READMEs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cm4bench_database.table import Table, shown
from cm4bench_results.store import write_atomically
from cm4bench_results.table import number
from cm4bench_trainings.folder import Found
from cm4bench_trainings.record import Training
from cm4bench_trainings.spread import groups
from cm4bench_trainings.table import BRIEF, spread_table, table
from cm4bench_trainings.words import facts, headline, stamps

#: what would be markup, or would end a cell
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#|~!])")
_BARS = "▁▂▃▄▅▆▇█"


def write_report(found: Found, target: Path, title: str = "Training results") -> Path:
    """Write the report to ``target``, atomically, and return its path; OSError where that is impossible."""
    write_atomically(target, render(found, title))
    return target


def render(found: Found, title: str) -> str:
    """The report as Markdown text. The same results give the same text."""
    return "\n".join(_lines(found, title)).rstrip() + "\n"


def _lines(found: Found, title: str) -> Iterator[str]:
    yield from (f"# {escaped(title)}", "", "## Summary", "")
    yield from _table(table(found.trainings, BRIEF))
    spread = spread_table(groups(found.trainings))
    if spread.rows:
        yield from ("", "## Over the seeds", "", "Means with their 95 % interval (Student's t).", "")
        yield from _table(spread)
    if found.broken:
        yield from ("", "## Without a result", "")
        yield from (f"- {escaped(one.path)}: {escaped(one.reason)}" for one in found.broken)
    for one in found.trainings:
        yield from _training(one)


def _training(one: Training) -> Iterator[str]:
    valid, why_not = one.verdict
    yield from ("", f"## {escaped(one.name)}: {escaped(one.benchmark)}, seed {one.seed}", "")
    labels = "".join(f", {escaped(stamp)}" for stamp in stamps(one))
    yield f"**{'VALID' if valid else 'NOT VALID'}**{labels}: {escaped(headline(one))}" + (
        f" ({escaped(why_not)})" if why_not else ""
    )
    yield from _sparks(one)
    for subject, values in facts(one).items():
        yield from ("", f"### {subject}", "")
        yield from _pairs(values)


def _sparks(one: Training) -> Iterator[str]:
    """The curves as a line of bars each: a text file has no better plot."""
    from cm4bench_trainings.series import course

    found = course(one.folder)
    for name, line in (("quality", found.quality), ("loss", found.loss), ("learning rate", found.learning_rate)):
        if line:
            yield from ("", f"{name}, {shown(line.y[0])} → {shown(line.y[-1])}: {sparkline(line.y)}")


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Values as bars, lowest to highest; each bar is the mean of its share of them."""
    count = min(width, len(values))
    cuts = [round(at * len(values) / count) for at in range(count + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(cuts)]
    low, high = min(means), max(means)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0
    return "".join(_BARS[round((mean - low) * scale)] for mean in means)


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    yield from (f"| {escaped(name)} | {escaped(_cell(value))} |" for name, value in values.items())


def _table(given: Table) -> Iterator[str]:
    yield "| " + " | ".join(escaped(name.replace("_", " ")) for name in given.columns) + " |"
    yield "|" + "---|" * len(given.columns)
    for row in given.rows:
        yield "| " + " | ".join(escaped(_cell(value)) for value in row) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return number(value) if isinstance(value, float) else shown(value) or "–"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
