"""One Result record: what was asked, what ran, what came out, and why it may or may not be believed.

A record holds one model in one scenario: the performance run and the accuracy run joined. The configuration that
launched the runs is stored with them, so that a record can be replayed without guessing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA_VERSION = 1

Scalar = str | int | float | bool | None
Tier = Literal["full", "embedded", "synthetic"]
Division = Literal["open", "closed candidate", "demonstration"]
Scenario = Literal["SingleStream", "MultiStream", "Offline", "Server", "Interactive"]
Mode = Literal["performance", "accuracy", "find-performance"]


class RecordError(ValueError):
    """A result file that cannot be read; the message names the file and the cause."""


@dataclass(frozen=True)
class Request:
    """What the user typed, and how it was understood. ``options`` are the flags, by name."""

    argv: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    variations: tuple[str, ...] = ()
    options: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What was measured: benchmark, model, scenario, and on what."""

    benchmark: str
    model: str
    scenario: Scenario
    backend: str
    device: str
    precision: str


@dataclass(frozen=True)
class Host:
    """The machine, as far as a reader needs it to judge a number. ``memory_bytes`` is physical memory."""

    os: str = ""
    cpu_model: str = ""
    cpu_cores: int = 0
    memory_bytes: int = 0
    python: str = ""
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Validity:
    """A verdict, with the reasons against it. An invalid verdict always has at least one reason."""

    valid: bool
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.valid and not self.reasons:
            raise ValueError("an invalid result needs at least one reason")


@dataclass(frozen=True)
class Figure:
    """One number with its name and unit. It must be finite: a missing figure is left out, never NaN."""

    metric: str
    value: float
    unit: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"{self.metric} is {self.value}: only finite figures may be recorded")


@dataclass(frozen=True)
class Metric:
    """A further quality figure of the same run; ``passed`` is None without a target."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    passed: bool | None = None


@dataclass(frozen=True)
class Quality:
    """The accuracy found on ``total`` samples against its target; both in ``unit``. No target: nothing to pass.

    ``more`` holds the other metrics of a benchmark that has several (ROUGE-2 beside ROUGE-1, lengths of answers).
    """

    metric: str
    value: float
    unit: str
    total: int
    correct: int | None = None
    target: float | None = None
    more: tuple[Metric, ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether all targets are reached; None where there is none."""
        verdicts = [one.passed for one in self.more if one.passed is not None]
        if self.target is not None:
            verdicts.append(self.value >= self.target)
        return all(verdicts) if verdicts else None


@dataclass(frozen=True)
class LatencyProfile:
    """Latencies of one run in milliseconds, in a bounded form from which the plot is drawn.

    ``source`` says what one of the ``count`` values is. ``edges_ms`` rise and have one entry more than ``counts``.
    ``quantiles`` are pairs (fraction in 0…1, milliseconds) in rising order.
    """

    source: str
    count: int
    edges_ms: tuple[float, ...]
    counts: tuple[int, ...]
    quantiles: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if self.counts and len(self.edges_ms) != len(self.counts) + 1:
            raise ValueError(f"{len(self.counts)} bins need {len(self.counts) + 1} edges, not {len(self.edges_ms)}")

    def at(self, fraction: float) -> float | None:
        """The recorded quantile in ms at ``fraction``; None where it was not recorded."""
        return next((ms for known, ms in self.quantiles if math.isclose(known, fraction)), None)

    def cumulative(self) -> tuple[tuple[float, float], ...]:
        """Points (ms, share in 0…1 of the values that are no longer than it)."""
        total = sum(self.counts)
        if not total:
            return tuple((ms, fraction) for fraction, ms in self.quantiles)
        shares = (seen / total for seen in itertools.accumulate(self.counts, initial=0))
        return tuple(zip(self.edges_ms, shares, strict=True))


@dataclass(frozen=True)
class DeviceTruth:
    """What really executed, against what was asked for."""

    requested: str
    used: str
    name: str
    verdict: Validity
    facts: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the overhead ledger: a cost that is ours and not the model's."""

    item: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Energy:
    """What the devices took while loadgen measured. ``label`` must be shown with it: no MLPerf power result.

    ``missing`` says what could not be read; without any counter the figures are None. ``sources`` are in joules.
    """

    label: str
    missing: str = ""
    joules: float | None = None
    mean_watts: float | None = None
    window_s: float | None = None
    joules_per_sample: float | None = None
    sources: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FileHash:
    """A file kept with the record; ``path`` is relative to the record's own folder, ``size`` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class LoadgenRun:
    """One loadgen run in one mode; the first figure is the one the scenario is judged by. ``timings`` in seconds.

    ``configuration`` is what the harness was given, word for word; ``settings`` is what loadgen says it used.
    """

    mode: Mode
    validity: Validity
    configuration: dict[str, Any] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    settings: dict[str, Scalar] = field(default_factory=dict)
    latency: LatencyProfile | None = None
    device: DeviceTruth | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    energy: Energy | None = None
    files: tuple[FileHash, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ResultRecord:
    """Everything kept about one model in one scenario. ``created`` is ISO 8601 in UTC."""

    id: str
    created: str
    request: Request
    subject: Subject
    tier: Tier
    division: Division
    host: Host
    runs: tuple[LoadgenRun, ...]
    quality: Quality | None = None
    plan_id: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def run(self, mode: Mode) -> LoadgenRun | None:
        """The run in ``mode``, or None where it was not asked for."""
        return next((run for run in self.runs if run.mode == mode), None)


def dumps(record: ResultRecord) -> str:
    """The record as indented JSON text, keys in declaration order."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(record), indent=2).decode()


def loads(text: str | bytes, origin: str = "result") -> ResultRecord:
    """Read a record back; ``origin`` names the file in errors.

    Raises :class:`RecordError` for broken JSON, a schema newer than this program's, or a field of the wrong type.
    """
    import msgspec

    try:
        version = msgspec.json.decode(text, type=_Versioned).schema_version
        if version > SCHEMA_VERSION:
            raise RecordError(
                f"{origin} has result schema {version}; this cm4bench reads up to {SCHEMA_VERSION}: update cm4bench"
            )
        return msgspec.json.decode(text, type=ResultRecord)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{origin} is not a result record: {error}") from None


@dataclass(frozen=True)
class _Versioned:
    """As much of any record, of any schema, as is needed to tell its version."""

    schema_version: int
