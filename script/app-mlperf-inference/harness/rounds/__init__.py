"""Rounds of MLPerf Inference as data: one file each in this folder, described in docs/rounds.md.

rounds.load("v6.1").benchmark("bert-99").limits("Offline")
rounds.of_seeds(seeds)                 the round of a run, from its log
rounds.which_have("resnet", "Server")  the rounds that have it
"""

from __future__ import annotations

from pathlib import Path

from harness.rounds.benchmark import Benchmark
from harness.rounds.library import Library
from harness.rounds.round import Round
from harness.rounds.values import Bound, Limits, Result, Scenarios, Seeds, Target

FOLDER = Path(__file__).parent

_ours = Library(FOLDER)
names = _ours.names
load = _ours.load
all_rounds = _ours.all
of_seeds = _ours.of_seeds
from_loadgen_version = _ours.from_loadgen_version
default = _ours.default
which_have = _ours.which_have

__all__ = [
    "FOLDER",
    "Benchmark",
    "Bound",
    "Library",
    "Limits",
    "Result",
    "Round",
    "Scenarios",
    "Seeds",
    "Target",
    "all_rounds",
    "default",
    "from_loadgen_version",
    "load",
    "names",
    "of_seeds",
    "which_have",
]
