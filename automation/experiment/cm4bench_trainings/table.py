"""Trainings as a table: one row each, the same columns for CSV, Excel, Markdown and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cm4bench_database.table import Table
from cm4bench_trainings.record import Training
from cm4bench_trainings.series import course, first_reached
from cm4bench_trainings.spread import Group


class Column(NamedTuple):
    """A column: its name with the unit, and what it takes from a training. None is an empty cell."""

    name: str
    of: Callable[[Training], Any]


COLUMNS = (
    Column("name", lambda one: one.name),
    Column("benchmark", lambda one: one.benchmark),
    Column("dataset", lambda one: one.dataset),
    Column("tier", lambda one: one.tier),
    Column("seed", lambda one: one.seed),
    Column("valid", lambda one: one.verdict[0]),
    Column("why_not", lambda one: one.verdict[1]),
    Column("metric", lambda one: one.quality.metric),
    Column("quality", lambda one: one.quality.value),
    Column("target", lambda one: one.quality.target),
    Column("time_to_train_s", lambda one: one.time_to_train_s),
    Column("seconds", lambda one: one.seconds),
    Column("epochs", lambda one: one.epochs),
    Column("converged_in_epoch", lambda one: _converged(one)),
    Column("samples_per_s", lambda one: one.throughput),
    Column("tokens_per_s", lambda one: one.tokens_per_s),
    Column("loading_share", lambda one: one.loading_share),
    Column("energy_j", lambda one: one.monitor.energy.joules),
    Column("mean_w", lambda one: one.monitor.energy.mean_w),
    Column("peak_w", lambda one: one.monitor.energy.peak_w),
    Column("j_per_sample", lambda one: one.joules_per_sample),
    Column("cpu_percent", lambda one: one.monitor.cpu_percent.mean),
    Column("gpu_util_percent", lambda one: _most(one, "util_percent")),
    Column("gpu_memory_bytes", lambda one: _most(one, "memory_bytes")),
    Column("gpu_temperature_c", lambda one: _most(one, "temperature_c")),
    Column("memory_bytes", lambda one: one.monitor.rss_max_bytes or one.peak_rss_bytes),
    Column("parameters", lambda one: one.model.parameters if one.model else None),
    Column("model_mb", lambda one: one.model.bytes / 1e6 if one.model else None),
    Column("device", lambda one: one.config.get("device")),
    Column("processes", lambda one: one.config.get("processes")),
    Column("precision", lambda one: one.config.get("precision")),
    Column("batch_size", lambda one: one.recipe.get("batch_size")),
    Column("torch", lambda one: one.software.get("torch")),
    Column("cuda", lambda one: one.software.get("cuda")),
    Column("processor", lambda one: one.host.get("cpu_model")),
    Column("accelerator", lambda one: ", ".join(map(str, one.host.get("accelerators") or ()))),
    Column("created", lambda one: one.created),
)
#: what a page has room for
BRIEF = ("name", "seed", "quality", "target", "time_to_train_s", "epochs", "samples_per_s", "energy_j", "tier", "valid")


def table(trainings: Sequence[Training], names: Sequence[str] = ()) -> Table:
    """All columns, or those that are named."""
    chosen = [column for column in COLUMNS if not names or column.name in names]
    rows = [tuple(column.of(one) for column in chosen) for one in trainings]
    return Table(tuple(column.name for column in chosen), rows)


def spread_table(groups: Sequence[Group]) -> Table:
    """The statistics over seeds of all groups that have more than one training."""
    columns = (
        "configuration",
        "figure",
        "unit",
        "runs",
        "mean",
        "median",
        "std",
        "min",
        "max",
        "ci95_low",
        "ci95_high",
    )
    rows = [
        (
            *(group.title, one.figure, one.unit, one.count, one.mean, one.median, one.deviation),
            *(one.minimum, one.maximum, one.low, one.high),
        )
        for group in groups
        for one in group.summaries
        if one.count > 1
    ]
    return Table(columns, rows)


def _converged(one: Training) -> int | None:
    found = first_reached(course(one.folder), one.quality.target, one.quality.higher_is_better)
    return found[0] if found else None


def _most(one: Training, what: str) -> float | None:
    """The highest of all GPUs; None where there is none, or none tells."""
    values = [getattr(gpu, what).max for gpu in one.monitor.gpus]
    return max((value for value in values if value is not None), default=None)
