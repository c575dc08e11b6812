"""Experiments: one script run over a plan of points, on one host or many, resumable, ending in a choice."""

from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.folder import Ask, Experiment, Status
from cm4bench_experiments.plan import Point, configurations, count, points
from cm4bench_experiments.sweep import Prune, Search, Sweep, make_sweep, read_sweep

__all__ = [
    "Ask",
    "Experiment",
    "ExperimentError",
    "Point",
    "Prune",
    "Search",
    "Status",
    "Sweep",
    "configurations",
    "count",
    "make_sweep",
    "points",
    "read_sweep",
]
