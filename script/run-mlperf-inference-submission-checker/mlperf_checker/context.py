"""What rules look at: a submission, a submitter's part of it, a system, and one result with its logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from mlperf_checker import description
from mlperf_checker.detaillog import DetailLog, parse
from mlperf_checker.findings import Scope
from mlperf_checker.folders import Folder
from mlperf_checker.layout import DETAIL, SCENARIOS, Layout, Place, order
from mlperf_checker.reading import Files, Unreadable

if TYPE_CHECKING:
    from harness.rounds import Benchmark, Limits, Result, Round

_SCENARIO_OF = {name.lower(): name for name in SCENARIOS}


@dataclass(frozen=True)
class Submission:
    """The whole tree under one round's rules."""

    files: Files
    round: Round
    layout: Layout

    @property
    def tree(self) -> Folder:
        return self.files.tree

    def is_since(self, version: str) -> bool:
        """Whether the round is this one or a later one."""
        return order(self.round.name) >= order(version)


@dataclass(frozen=True)
class Submitter:
    """A submitter in a division."""

    submission: Submission
    division: str
    name: str

    @property
    def scope(self) -> Scope:
        return (self.division, self.name)

    @property
    def home(self) -> PurePosixPath:
        return PurePosixPath(self.division, self.name)

    @property
    def is_closed(self) -> bool:
        """Closed or network: closed rules for model, accuracy and compliance hold."""
        return self.division in ("closed", "network")

    @property
    def results(self) -> Folder | None:
        return self.submission.tree.at(self.home / "results")

    @cached_property
    def mapping(self) -> dict[str, Any] | Unreadable:
        """Own names of models to benchmarks, empty outside the open division or without the file."""
        path = self.submission.layout.model_mapping(self.name, self.division)
        if self.division != "open" or not self.submission.tree.has_file(path):
            return {}
        return self.submission.files.object(path)


@dataclass(frozen=True)
class System:
    """A system with results."""

    submitter: Submitter
    name: str

    @property
    def scope(self) -> Scope:
        return (*self.submitter.scope, self.name)

    @property
    def path(self) -> PurePosixPath:
        """Its description."""
        return self.submitter.submission.layout.system_file(self.submitter.division, self.submitter.name, self.name)

    @cached_property
    def description(self) -> dict[str, Any] | Unreadable:
        return self.submitter.submission.files.object(self.path)

    def said(self, key: str) -> str:
        """A value of the description as text, empty where there is none."""
        value = {} if isinstance(self.description, Unreadable) else self.description
        found = value.get(key)
        return "" if found is None else str(found)

    @property
    def category(self) -> str | None:
        """`datacenter`, `edge` or both; None where the description does not say it properly."""
        said = self.said("system_type")
        return said if said in description.SYSTEM_TYPES else None

    @property
    def folder(self) -> Folder | None:
        results = self.submitter.results
        return results.folders.get(self.name) if results else None

    @cached_property
    def has_power(self) -> bool:
        """Whether one of its results is a power result."""
        return self.folder is not None and any(
            one.path.endswith("/performance/power") and one.path.count("/") == 7 for one in self.folder.below()
        )

    @property
    def is_network(self) -> bool:
        return not isinstance(self.description, Unreadable) and description.is_network(self.description)


@dataclass(frozen=True)
class Model:
    """A benchmark's folder of a system."""

    system: System
    name: str

    @property
    def scope(self) -> Scope:
        return (*self.system.scope, self.name)

    @cached_property
    def path(self) -> PurePosixPath:
        return self.system.submitter.home / "results" / self.system.name / self.name

    @property
    def folder(self) -> Folder:
        found = self.system.folder.folders.get(self.name) if self.system.folder else None
        return found or Folder(str(self.path))

    @cached_property
    def mapped(self) -> str | None:
        """What model_mapping.json says about the name."""
        mapping = self.system.submitter.mapping
        found = None if isinstance(mapping, Unreadable) else mapping.get(self.name)
        return None if found is None else str(found)

    @cached_property
    def benchmark(self) -> Benchmark | None:
        """The benchmark that it counts as: by its name, an alias, the mapping, or a part of its name."""
        benchmarks = self.system.submitter.submission.round.benchmarks
        if self.name in benchmarks:
            return benchmarks[self.name]
        alias = next((one for one in benchmarks.values() if self.name in one.aliases), None)
        if alias is None and self.mapped is not None:
            return benchmarks.get(self.mapped)
        return alias or self.system.submitter.submission.round.find(self.name)


@dataclass(frozen=True)
class Run:
    """One loadgen run of a result: the measured one, the accuracy run, the ranging run, or a compliance test's.

    Attributes:
        path: its folder.
        kind: what it is called in messages.
    """

    path: PurePosixPath
    kind: str
    log: DetailLog | Unreadable

    @property
    def log_path(self) -> PurePosixPath:
        return self.path / DETAIL


@dataclass(frozen=True)
class ResultFolder:
    """One result: a scenario of a benchmark of a system."""

    model: Model
    folder_name: str
    _runs: dict[str, Run] = field(default_factory=dict, compare=False, repr=False)

    @property
    def submission(self) -> Submission:
        return self.system.submitter.submission

    @property
    def system(self) -> System:
        return self.model.system

    @property
    def submitter(self) -> Submitter:
        return self.model.system.submitter

    @property
    def is_closed(self) -> bool:
        return self.submitter.is_closed

    @property
    def scope(self) -> Scope:
        return (*self.model.scope, self.folder_name)

    @cached_property
    def place(self) -> Place:
        return Place(*self.scope)

    @cached_property
    def path(self) -> PurePosixPath:
        return self.model.path / self.folder_name

    @property
    def scenario(self) -> str | None:
        """The official name; upper and lower case do not matter. None for a folder that is no scenario."""
        return _SCENARIO_OF.get(self.folder_name.lower())

    @property
    def benchmark(self) -> Benchmark | None:
        return self.model.benchmark

    @cached_property
    def has_power(self) -> bool:
        return self.submission.tree.at(self.submission.layout.power(self.place)) is not None

    @cached_property
    def is_endpoints(self) -> bool:
        """Measured with the HTTP harness instead of loadgen (since v6.1)."""
        tree, folder = self.submission.tree, self.submission.layout.results(self.place)
        summary = tree.has_file(folder / "performance" / "result_summary.json")
        return summary and not tree.has_file(self.submission.layout.performance(self.place) / DETAIL)

    @cached_property
    def performance(self) -> Run:
        return self.run("performance run", self.submission.layout.performance(self.place))

    @cached_property
    def accuracy(self) -> Run:
        return self.run("accuracy run", self.submission.layout.accuracy(self.place))

    @property
    def ranging(self) -> Run:
        return self.run("ranging run", self.submission.layout.ranging(self.place))

    def test_folder(self, test: str) -> PurePosixPath:
        return self.submission.layout.compliance(self.place, test)

    def test_run(self, test: str) -> Run:
        """The performance run of a compliance test."""
        return self.run(f"{test} run", self.test_folder(test) / "performance" / "run_1")

    def run(self, kind: str, path: PurePosixPath) -> Run:
        """A run by its folder; its log is read once."""
        if kind not in self._runs:
            content = self.submission.files.read(path / DETAIL)
            log = content if isinstance(content, Unreadable) else parse(content)
            self._runs[kind] = Run(path, kind, log)
        return self._runs[kind]

    @cached_property
    def measured_scenario(self) -> str | None:
        """What loadgen ran: another one than the folder's where the result is inferred. None without a log."""
        log = self.performance.log
        found = "" if isinstance(log, Unreadable) else log.scenario
        return _SCENARIO_OF.get(found.lower())

    @property
    def is_inferred(self) -> bool:
        """Whether the result was computed from a run of another scenario."""
        measured, named = self.measured_scenario, self.scenario
        return measured is not None and measured != named and (measured, named) != ("Server", "Interactive")

    def limits(self) -> Limits | None:
        """The latency limits of the folder's scenario."""
        if self.benchmark is None or self.scenario is None:
            return None
        return cast("dict[str, Limits]", self.benchmark.limits_by).get(self.scenario)

    def figure_of(self, scenario: str) -> Result | None:
        """Key and unit of the submitted number of a scenario."""
        if self.benchmark is None:
            return None
        return cast("dict[str, Result]", self.benchmark.results_by).get(scenario)
