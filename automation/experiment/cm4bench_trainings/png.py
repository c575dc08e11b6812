"""The curves as one picture, for slides and issues: a block of six plots per configuration, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cm4bench_trainings.folder import Found
from cm4bench_trainings.record import Training
from cm4bench_trainings.series import Course, Line, course, monitored, thinned
from cm4bench_trainings.spread import Group, groups

_WIDTH, _HEIGHT, _COLUMNS = 5.0, 3.0, 3
#: most configurations of one picture: matplotlib's limit is 65,536 dots a side
MOST = 50
_MEASURED = (("watts", "power, W"), ("cpu_percent", "processor, % of one core"), ("gpu0_util_percent", "GPU 0, %"))
_TAKEN: tuple[tuple[str, Callable[[Course], Line]], ...] = (
    ("loss of a batch", lambda one: one.loss),
    ("learning rate", lambda one: one.learning_rate),
)


def write_picture(found: Found, target: Path, title: str) -> Path:
    """Draw all trainings into a PNG file; OSError where it cannot be written."""
    # not through pyplot, which would look for a screen and keep every figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = groups(found.trainings)[:MOST]
    rows = 2 * max(len(shown), 1)
    figure = Figure(figsize=(_WIDTH * _COLUMNS, _HEIGHT * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_plain(title))
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    for index, group in enumerate(shown):
        _block([*axes[2 * index], *axes[2 * index + 1]], group)
    scrap = target.with_name(f".{target.name}.new")
    try:
        # no date and no version inside: the same results give the same file
        figure.savefig(scrap, format="png", dpi=100, metadata={"Software": None})
        scrap.replace(target)
    finally:
        scrap.unlink(missing_ok=True)
    return target


def _block(axes: Sequence[Any], group: Group) -> None:
    courses = [course(one.folder) for one in group.trainings]
    first = group.trainings[0].quality
    _draw(axes[0], first.metric, group.trainings, [one.quality for one in courses], marker="o")
    axes[0].axhline(first.target, linestyle="--", color="gray")
    axes[0].set_title(_plain(group.title))
    for axis, (name, of) in zip(axes[1:3], _TAKEN, strict=True):
        _draw(axis, name, group.trainings, [of(one) for one in courses])
    looks = [monitored(one.folder) for one in group.trainings]
    for axis, (column, name) in zip(axes[3:], _MEASURED, strict=True):
        _draw(axis, name, group.trainings, [_column(one, column) for one in looks])


def _draw(axis: Any, name: str, trainings: Sequence[Training], lines: Sequence[Line], marker: str = "") -> None:
    axis.set_xlabel("seconds")
    axis.set_ylabel(_plain(name))
    for one, line in zip(trainings, map(thinned, lines), strict=True):
        if line:
            axis.plot(line.x, line.y, label=_plain(one.name), marker=marker)
    if not any(lines):
        axis.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axis.transAxes)
    elif 1 < len(trainings) <= 10:
        axis.legend(fontsize="small")


def _column(looks: Mapping[str, Line], name: str) -> Line:
    return looks.get(name, Line())


def _plain(text: str) -> str:
    """matplotlib reads mathematics between dollar signs, and hides labels that begin with an underscore."""
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped
