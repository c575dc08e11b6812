"""One log: what the rules say of it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlperf_checker.findings import Finding, printable

from trainer import mllog
from trainer.mllog import Event, LogError
from trainer.rulesets import Ruleset
from training_checker import upstream
from training_checker.wording import worded

RULE = "compliance"


@dataclass(frozen=True)
class Run:
    """A log file, and its name in messages."""

    path: Path
    name: str

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Its events; none where a line is damaged."""
        try:
            return tuple(mllog.events(self.path))
        except LogError:
            return ()

    def values(self, key: str) -> list[object]:
        return [one.value for one in self.events if one.key == key]

    def value(self, key: str) -> object:
        """The first value of a key; None without one."""
        return next(iter(self.values(key)), None)

    @property
    def seconds(self) -> float | None:
        """Time to train; None for a run that did not reach its target, or whose log does not tell."""
        stops = [one.metadata.get("status") for one in self.events if one.key == "run_stop"]
        if stops[:1] != ["success"]:
            return None
        try:
            return mllog.time_to_train(self.path)
        except LogError:
            return None


def objections(run: Run, rules: Ruleset) -> Iterator[Finding]:
    """What the compliance checker has against a log, each thing once."""
    name = printable(run.name)
    seen = set()
    for complaint in upstream.complaints(run.path, rules.usage, rules.version):
        said = worded(complaint, run.events, rules)
        if said not in seen:
            seen.add(said)
            yield Finding(RULE, "error", name, said.cause, said.remedy)


def success(run: Run) -> Iterator[Finding]:
    """A run that was given up is right in form; upstream would count its time."""
    stops = [one.metadata.get("status") for one in run.events if one.key == "run_stop"]
    if stops and stops[0] != "success":
        cause = f"the run did not reach its target (run_stop says {stops[0]})"
        yield Finding("success", "error", printable(run.name), cause, "it counts as the slowest; repeat the run")
