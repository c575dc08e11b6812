"""One benchmark of one round, and the questions that can be asked of it."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from harness.errors import HarnessError
from harness.rounds.values import (
    CATEGORIES,
    Audit,
    Count,
    Gap,
    Limits,
    Result,
    Scenario,
    Scenarios,
    Strict,
    Target,
    Test,
)


class Benchmark(Strict, frozen=True):
    """One benchmark of one round.

    Attributes:
        name: the checker's name, the folder's name in a submission.
        conf: the name that loadgen's FromConfig takes; None where loadgen does not drive the benchmark.
        interactive_conf: the same for the Interactive scenario.
        aliases: other names that the checker takes for this one.
        open_names: parts of a name by which the checker guesses this benchmark.
        dataset_size, accuracy_samples: data set, and the part of it that an accuracy run must cover.
        performance_samples: least performance_sample_count.
        offline_min_samples: fewest samples of the Offline query, closed division.
        min_duration_ms: of a performance run, None for the round's.
        equal_issue: loadgen repeats the whole set, because samples differ in size.
        tokens: whether token rates are measured, or inferred from sample rates.
        compliance: audit tests, closed and network division.
        audits: parameters of these tests; the round's own are written into them.
        conf_says: values of the mlperf.conf inside loadgen that differ from the checker's.
        conf_lacks: values that it has not at all, so that user.conf must give them.
        accuracy_files: files that must lie beside accuracy.txt, by folder.
        notes: what other sources say about it; the checker decides.
    """

    dataset_size: Count
    performance_samples: Count
    accuracy: tuple[Target, ...]
    name: str = ""
    conf: str | None = None
    interactive_conf: str | None = None
    aliases: tuple[str, ...] = ()
    open_names: tuple[str, ...] = ()
    datacenter: Scenarios = Scenarios()
    edge: Scenarios = Scenarios()
    datacenter_edge: Scenarios = Scenarios()
    accuracy_samples_by: dict[Scenario | Literal["default"], Count] = msgspec.field(
        default_factory=dict, name="accuracy_samples"
    )
    offline_min_samples: Count | None = None
    min_duration_ms: Count | None = None
    min_queries_by: dict[Scenario, Count] = msgspec.field(default_factory=dict, name="min_queries")
    limits_by: dict[Scenario, Limits] = msgspec.field(default_factory=dict, name="limits")
    results_by: dict[Scenario, Result] = msgspec.field(default_factory=dict, name="results")
    equal_issue: bool = False
    tokens: Literal["none", "measured", "inferred"] = "none"
    compliance: tuple[Test, ...] = ()
    audits: dict[Test, Audit] = msgspec.field(default_factory=dict)
    conf_says: dict[Gap, Count] = msgspec.field(default_factory=dict)
    conf_lacks: tuple[Gap, ...] = ()
    accuracy_files: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def scenarios(self, category: str | None = None) -> Scenarios:
        """Scenarios of a category, empty where the benchmark is not in it.

        Without a category: those of datacenter and of edge. Systems of both at once have a table of their own, with
        leftovers in it (resnet's Server in v6.1), so that one counts only when it is asked for.

        Raises:
            HarnessError: kind `config`, for a category that does not exist.
        """
        if category is None:
            required = (*self.datacenter.required, *self.edge.required)
            optional = (one for one in (*self.datacenter.optional, *self.edge.optional) if one not in required)
            return Scenarios(required=tuple(dict.fromkeys(required)), optional=tuple(dict.fromkeys(optional)))
        match ",".join(sorted(part.strip() for part in category.split(","))):
            case "datacenter":
                return self.datacenter
            case "edge":
                return self.edge
            case "datacenter,edge":
                return self.datacenter_edge
        raise HarnessError("config", f"unknown category {category!r}", f"categories: {', '.join(CATEGORIES)}")

    def limits(self, scenario: str) -> Limits:
        """Latency limits of a scenario; raises HarnessError of kind `config` where the benchmark has not got it."""
        self._require(scenario)
        return cast(dict[str, Limits], self.limits_by).get(scenario, Limits())

    def targets(self, scenario: str) -> tuple[Target, ...]:
        """Accuracy metrics that must be met in a scenario."""
        return tuple(one for one in self.accuracy if not one.scenarios or scenario in one.scenarios)

    def accuracy_samples(self, scenario: str) -> int:
        """Samples that an accuracy run of a scenario must cover."""
        by = cast(dict[str, int], self.accuracy_samples_by)
        return by.get(scenario, by.get("default", self.dataset_size))

    def result(self, scenario: str) -> Result:
        """The submitted number of a scenario; raises HarnessError of kind `config` for an unknown one."""
        self._require(scenario)
        return cast(dict[str, Result], self.results_by)[scenario]

    def conf_name(self, scenario: str) -> str | None:
        """loadgen's name of the benchmark in a scenario."""
        return self.interactive_conf if scenario == "Interactive" else self.conf

    def conf_gaps(self, scenario: str) -> dict[str, int]:
        """Keys of user.conf that a submission must set, because the mlperf.conf inside loadgen asks for less."""
        needed: dict[str, tuple[Gap, int]] = {
            "performance_sample_count_override": ("performance_samples", self.performance_samples)
        }
        if scenario == "Offline" and self.offline_min_samples:
            needed["min_query_count"] = ("offline_min_samples", self.offline_min_samples)
        return {key: value for key, (gap, value) in needed.items() if self._is_open(gap, value)}

    def _is_open(self, gap: Gap, needed: int) -> bool:
        # 0 stands for the whole set
        return gap in self.conf_lacks or 0 < self.conf_says.get(gap, needed) < needed

    def _require(self, scenario: str) -> None:
        if scenario not in self.scenarios() and scenario not in self.datacenter_edge:
            known = ", ".join({**dict.fromkeys(self.scenarios()), **dict.fromkeys(self.datacenter_edge)})
            raise HarnessError("config", f"{self.name} has no scenario {scenario!r}", f"scenarios: {known}")
