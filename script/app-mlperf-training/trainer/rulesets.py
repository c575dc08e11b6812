"""Which rules a task's log is held against: MLPerf's, where its checker knows the benchmark, else this project's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OWN = "own"
_TABLE = Path(__file__).with_name("rulesets.yaml")


@dataclass(frozen=True)
class Ruleset:
    """The rules of one benchmark.

    Attributes:
        benchmark: its name in the log.
        version: as `4.0.0`; `own` for the rules of this project, which are no MLPerf rules.
        usage: `training` or `hpc`.
        key: the event that carries the quality.
        scale: factor from the task's figure to the logged one.
        runs, drops: runs of one result; how many of the best, and as many of the worst, do not count.
        open_target: what the open division wants, in words; empty where any number below 1 will do.
    """

    benchmark: str
    version: str = OWN
    usage: str = "training"
    key: str = "eval_accuracy"
    scale: float = 1.0
    runs: int = 5
    drops: int = 1
    open_target: str = ""

    @property
    def is_own(self) -> bool:
        return self.version == OWN


def of(name: str) -> Ruleset:
    """The rules of a task, or of a benchmark by its name in the log; those of this project for an unknown name."""
    return known().get(name) or Ruleset(benchmark=name)


@cache
def known() -> Mapping[str, Ruleset]:
    """The tasks that MLPerf's checker knows."""
    import yaml

    table = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return {task: _ruleset(**entry) for task, entry in table.items()}


def _ruleset(ruleset: str, **entry: object) -> Ruleset:
    return Ruleset(version=str(ruleset), **entry)  # type: ignore[arg-type]
