"""An experiment as text: its plan, one line per point as it ends, the table at the end."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cm4bench_experiments.choice import front
from cm4bench_experiments.conduct import Place, Tally, ask_of
from cm4bench_experiments.figures import Configuration, Objective
from cm4bench_experiments.folder import Ask, Status
from cm4bench_experiments.plan import MANY, Point, at_most, configurations, count
from cm4bench_experiments.sweep import Settings, Sweep
from cm4bench_results.table import PLAIN_WIDTH, number

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 20
FRONT, CHOSEN = "*", "→"


def settings_text(settings: Settings) -> str:
    """`batch_size=4 threads=2`."""
    return " ".join(f"{name}={value}" for name, value in settings.items())


def plan_lines(sweep: Sweep, missing: int | None) -> Iterator[str]:
    """What would be run: the number of points, then the first ones."""
    total = count(sweep)
    varied = ", ".join(f"{name} ({len(values)})" for name, values in sweep.grid.items())
    more = f" and {len(sweep.points)} listed" if sweep.points else ""
    yield f"{total:,} points: {varied or 'listed'}{more if varied else ''}, each {sweep.repeat}×"
    if sweep.where and at_most(sweep) != total:
        yield f"{at_most(sweep) - total:,} more are ruled out by the conditions"
    if missing is not None:
        yield f"{missing:,} of them are still missing"
    if total > MANY:
        yield f"warning: {total:,} points are many; --yes runs them all the same"
    if sweep.search:
        yield f"chosen by Optuna ({sweep.search.sampler}), {sweep.search.trials} trials out of"
    for settings in itertools.islice(configurations(sweep), _SHOWN):
        yield f"  {settings_text(settings)}"
    if total // sweep.repeat > _SHOWN:
        yield f"  … and {total // sweep.repeat - _SHOWN:,} more"


def point_line(index: int, total: int, ask: Ask, status: Status) -> str:
    """One line about a point that ended."""
    again = f" (repeat {ask.point.repeat})" if ask.point.repeat > 1 else ""
    ending = f"{status.state}: {status.cause}" if status.cause else f"{status.state} in {status.seconds:.1f} s"
    return f"[{index}/{total}] {settings_text(ask.point.settings)}{again}: {ending}"


def tally_line(tally: Tally, sequential: bool) -> str:
    """What the command did, and what the sweep itself cost."""
    ended = ", ".join(f"{number} {state}" for state, number in sorted(tally.states.items())) or "nothing to do"
    cost = f"; {1000 * tally.overhead_s:.0f} ms per point beyond the runs" if sequential and tally.ended else ""
    return f"{ended} in {tally.wall_s:.1f} s{cost}"


def print_table(found: Sequence[Configuration], objectives: Sequence[Objective]) -> None:
    """All configurations; those of the Pareto front are marked, and the one to take."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, no_color=True)
    console.print(_table(found, objectives))


def _table(found: Sequence[Configuration], objectives: Sequence[Objective]) -> Table:
    from rich.table import Table
    from rich.text import Text

    best = front(found, objectives)
    names = list(dict.fromkeys(name for one in found for name in one.settings))
    shown = list(dict.fromkeys(o.name for o in objectives if o.name not in names))
    if any(one.figure("accuracy") for one in found) and "accuracy" not in shown:
        shown.append("accuracy")
    table = Table(box=None, pad_edge=False)
    for head in ("", *names, *shown, "runs", "remarks"):
        table.add_column(head, overflow="fold", justify="right" if head in (*shown, "runs") else "left")
    for one in found:
        cells = [_mark(one, best), *(str(one.settings.get(name, "")) for name in names)]
        cells += [value_text(one, name) for name in shown]
        table.add_row(*map(Text, [*cells, str(one.runs), "; ".join(one.causes)]))
    return table


def _mark(one: Configuration, best: Sequence[Configuration]) -> str:
    if best and one is best[0]:
        return CHOSEN
    return FRONT if any(one is other for other in best) else ""


def value_text(one: Configuration, name: str) -> str:
    """The median with the extremes of its repeats."""
    figure, all_values = one.figure(name), [figure.value for figure in one.values.get(name, ())]
    if figure is None:
        return "–"
    spread = f" ({number(min(all_values))}…{number(max(all_values))})" if len(all_values) > 1 else ""
    return f"{number(figure.value)}{spread} {figure.unit}".rstrip()


def command(sweep: Sweep, one: Configuration, place: Place) -> str:
    """The `cmr` command that runs one configuration."""
    tags, *flags = ask_of(sweep, Point(one.settings), place).argv()
    return " ".join(["cmr", f'"{tags}"', *map(shlex.quote, flags)])
