"""The pieces of a round file as frozen values. Sizes are samples, times are milliseconds, percentiles are percent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

Scenario = Literal["SingleStream", "MultiStream", "Offline", "Server", "Interactive"]
Category = Literal["datacenter", "edge", "datacenter,edge"]
Test = Literal["TEST01", "TEST04", "TEST06", "TEST07", "TEST08", "TEST09"]
Gap = Literal["performance_samples", "offline_min_samples"]
AuditKey = Literal[
    "accuracy_log_rng_seed",
    "accuracy_log_sampling_target",
    "min_duration",
    "min_query_count",
    "performance_issue_same",
    "performance_issue_same_index",
    "performance_issue_unique",
    "sample_concatenate_permutation",
]

CATEGORIES: tuple[Category, ...] = ("datacenter", "edge", "datacenter,edge")

Count = Annotated[int, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=1)]
Ms = Annotated[float, msgspec.Meta(gt=0)]
Percent = Annotated[float, msgspec.Meta(gt=0, lt=100)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value that takes known fields only."""


class Source(Strict, frozen=True):
    """Where values were read: a file of a repository at a commit."""

    repository: str
    commit: str
    file: str
    gives: str


class Wheels(Strict, frozen=True):
    """First and last published loadgen wheel that carries the round's seeds, both included."""

    first: str
    last: str

    def __contains__(self, version: str) -> bool:
        from packaging.version import InvalidVersion, Version

        try:
            return Version(self.first) <= Version(version) <= Version(self.last)
        except InvalidVersion:
            return False


class Seeds(Strict, frozen=True):
    """Seeds of loadgen's random numbers; a submission's logs must show these."""

    qsl_rng_seed: Seed
    sample_index_rng_seed: Seed
    schedule_rng_seed: Seed


class Bound(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A bound as the rules give it: reference times factor."""

    reference: float
    factor: float = 1.0

    @property
    def value(self) -> float:
        """The number that the checker compares with."""
        return self.reference * self.factor


class Target(Strict, frozen=True):
    """One accuracy metric and what it must reach, in the scale of the reference's own accuracy script.

    Attributes:
        metric: the checker's name of it.
        at_least, at_most: bounds, both inclusive; length metrics have both.
        scenarios: where it holds; empty means everywhere.
        drift_percent: how far TEST01 may differ from the accuracy run, None without TEST01.
    """

    metric: str
    at_least: Bound | None = None
    at_most: Bound | None = None
    scenarios: tuple[Scenario, ...] = ()
    drift_percent: float | None = None


class Limits(Strict, frozen=True):
    """Latency limits of a scenario; None means that there is no such limit.

    Attributes:
        latency_ms: of a whole query; what loadgen judges by.
        ttft_ms, tpot_ms: time to first token, time per output token.
        percentile: of the latencies that the limit, or the reported latency of a stream, is about.
        checker_latency_ms: the checker's own limit, where it is not `latency_ms`.
    """

    latency_ms: Ms | None = None
    ttft_ms: Ms | None = None
    tpot_ms: Ms | None = None
    percentile: Percent | None = None
    checker_latency_ms: Ms | None = None


class Result(Strict, frozen=True):
    """The number that is submitted: its key in mlperf_log_detail.txt and the unit of the published table."""

    key: str
    unit: str


class ScenarioRule(Strict, frozen=True):
    """What holds for a scenario in every benchmark, unless the benchmark says otherwise.

    Attributes:
        result: the submitted number.
        percentile: latency percentile that loadgen uses, None where it judges no latency.
        min_queries: the checker's table; it does not look at it where early stopping decides.
        early_stopping: loadgen's early stopping decides whether there were enough queries.
        conf_min_queries: fewest queries, from the mlperf.conf inside loadgen.
        samples_per_query: fixed size of a query.
        runs_as: loadgen's scenario, where it has another name there.
    """

    result: Result
    percentile: Percent | None = None
    min_queries: Count = 0
    early_stopping: bool = False
    conf_min_queries: Count | None = None
    samples_per_query: Count | None = None
    runs_as: Scenario | None = None


class Audit(Strict, frozen=True):
    """One compliance test: what it changes in a performance run, and what the answers must keep to.

    Attributes:
        settings: lines of audit.config, loadgen's keys.
        at_least, at_most: bounds, both inclusive: the score in TEST07, the mean number of output tokens in TEST09.
        eos_token_id: the token that ends an answer, of which TEST06 allows one.
    """

    settings: dict[AuditKey, Count] = {}
    at_least: float | None = None
    at_most: float | None = None
    eos_token_id: Count | None = None

    def over(self, common: Audit) -> Audit:
        """What holds for every benchmark, with this benchmark's own values in its place."""
        return Audit(
            settings=common.settings | self.settings,
            at_least=common.at_least if self.at_least is None else self.at_least,
            at_most=common.at_most if self.at_most is None else self.at_most,
            eos_token_id=common.eos_token_id if self.eos_token_id is None else self.eos_token_id,
        )


class Scenarios(Strict, frozen=True):
    """Scenarios of a benchmark in one category. Iterates over all, the required ones first."""

    required: tuple[Scenario, ...] = ()
    optional: tuple[Scenario, ...] = ()

    def __iter__(self) -> Iterator[Scenario]:
        return iter((*self.required, *self.optional))

    def __contains__(self, scenario: object) -> bool:
        return scenario in self.required or scenario in self.optional

    def __bool__(self) -> bool:
        return bool(self.required or self.optional)


class Layout(Strict, frozen=True):
    """Folders of a submission, with {division}, {submitter}, {system}, {benchmark}, {scenario} to be filled in."""

    results: str
    measurements: str
    compliance: str
    code: str
    systems: str


class Submission(Strict, frozen=True):
    """What the checker asks of a submission's files.

    Attributes:
        measurement_files: beside the measurements, none of them empty.
        measurement_keys: of measurements.json, none of them empty.
        system_keys: of systems/<system>.json; `filled_system_keys` may not be empty.
        power_system_keys, network_system_keys: further ones with power, and in the network division.
        one_of: where all of these are optional scenarios of a benchmark, one of them must be there.
        max_accuracy_log_bytes: mlperf_log_accuracy.json must be truncated to it.
    """

    layout: Layout
    measurement_files: tuple[str, ...]
    measurement_keys: tuple[str, ...]
    system_keys: tuple[str, ...]
    filled_system_keys: tuple[str, ...]
    power_system_keys: tuple[str, ...]
    network_system_keys: tuple[str, ...]
    max_accuracy_log_bytes: Count
    max_file_mb: Count
    one_of: tuple[Scenario, ...] = ()
