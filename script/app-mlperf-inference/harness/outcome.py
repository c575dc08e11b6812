"""What one run gave: a frozen value that is written to `<output_dir>/outcome.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.config import RunConfig

SCHEMA = 1
FILE_NAME = "outcome.json"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run has no usable result.

    `kind` is one of: config, user-conf, dataset, weights, device, load, raised, hang, missing-completion, crash,
    invalid, loadgen-errors, settings, accuracy, search, internal.
    """

    kind: str
    cause: str
    hint: str = ""
    log: str = ""


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """loadgen's own verdict; `valid` is null in accuracy mode, where loadgen gives none."""

    valid: bool | None
    reasons: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its unit; `key` is the line of mlperf_log_detail.txt it was read from."""

    metric: str
    value: float
    unit: str
    key: str


class Loadgen(msgspec.Struct, frozen=True, kw_only=True):
    """What loadgen reported. `figure` is the scenario's headline number, `figures` all of them."""

    version: str
    seeds: dict[str, int]
    scenario: str
    mode: str
    num_errors: int
    query_count: int | None
    figure: Figure | None
    figures: tuple[Figure, ...]
    percentiles_ms: dict[str, float]
    effective: dict[str, Any]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    power_begin: str | None = None
    power_end: str | None = None


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One further quality figure with its own target."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    passed: bool | None = None


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Accuracy of an accuracy run: the headline metric, and `more` of them where the benchmark has several.

    `passed` is null where no target was given; it covers all metrics. `correct` counts right answers where answers
    can be counted.
    """

    metric: str
    value: float
    unit: str
    total: int
    correct: int | None = None
    target: float | None = None
    passed: bool | None = None
    more: tuple[Metric, ...] = ()


class GpuSample(msgspec.Struct, frozen=True, kw_only=True):
    """One NVML reading."""

    sm_clock_mhz: int
    memory_clock_mhz: int
    utilisation_percent: int
    temperature_c: int
    power_w: float
    throttle_reasons: tuple[str, ...]


class GpuTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What NVML saw of the GPU while the run went on, sampled from outside the measured process."""

    name: str
    uuid: str
    driver: str
    samples: int
    sm_clock_mhz_min: int
    sm_clock_mhz_max: int
    sm_clock_mhz_limit: int
    utilisation_percent_mean: float
    temperature_c_max: int
    power_w_mean: float
    throttle_reasons: tuple[str, ...]


class CpuTruth(msgspec.Struct, frozen=True, kw_only=True):
    """The processor of the run; `busy_cores` is what its process used: CPU seconds over wall seconds."""

    model: str
    logical_cores: int
    allowed_cores: tuple[int, ...]
    threads: int
    load_average_before: float
    busy_cores: float


class DeviceTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What executed, and where. `used` is read from the model's parameters and from an output, not from the request."""

    asked: str
    used: str
    executed: str
    precision: str
    residency: str
    cpu: CpuTruth
    gpu: GpuTruth | None = None
    gpu_missing_reason: str = ""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """What of the run was ours, not the model's.

    `null_*` are figures of this same harness, scenario and batch size with a model that does nothing, run on this host
    right after the measured run; `share` is that cost over the measured one: per sample in Offline, else per query.
    """

    null_cpu_us_per_sample: float
    null_wall_us_per_sample: float
    null_latency_p50_us: float | None
    null_samples: int
    share: float | None


class EnergySource(msgspec.Struct, frozen=True, kw_only=True):
    """What one counter gave. `true_below_watts`: it may have gone round unseen where the draw was higher than that."""

    name: str
    joules: float
    true_below_watts: float | None = None


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """Energy of the devices over the measured part of a run; `missing` says what could not be read.

    `label` goes wherever the figure goes: this is no MLPerf power result. `window_s` is the time between the readings.
    """

    label: str
    missing: str = ""
    sources: tuple[EnergySource, ...] = ()
    joules: float | None = None
    mean_watts: float | None = None
    window_s: float | None = None
    samples: int = 0
    joules_per_sample: float | None = None


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds per phase of the child process."""

    load_s: float = 0.0
    stage_s: float = 0.0
    warmup_s: float = 0.0
    loadgen_s: float = 0.0
    total_s: float = 0.0


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Bounded view of the harness's own clock, for plots; loadgen's percentiles stay the official ones.

    `source` says what one value is. `edges_ms` has one entry more than `counts`. `stride` n: every n-th value was kept.
    """

    source: str
    count: int
    kept: int
    stride: int
    edges_ms: tuple[float, ...]
    counts: tuple[int, ...]
    quantiles_ms: dict[str, float]
    file: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One probe of a performance search."""

    target_qps: float | None
    valid: bool
    measured: float | None
    unit: str
    directory: str
    cause: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a performance search found, ready to be put into user.conf."""

    key: Literal["target_qps", "target_latency"]
    value: float
    unit: str
    trials: tuple[Trial, ...]


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """What the power analyzers measured over the run: W, or in the streams mJ per query, as MLPerf counts it."""

    value: float
    unit: str
    watts: float
    samples_per_joule: float | None = None


class Submittable(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the run has the length and data that a submission asks for, with every reason against it."""

    ok: bool
    reasons: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one run; `status` failed always comes with `failure`."""

    schema: Literal[1] = 1
    status: Literal["ok", "failed"]
    tier: str
    config: RunConfig
    failure: Failure | None = None
    validity: Validity | None = None
    loadgen: Loadgen | None = None
    quality: Quality | None = None
    device: DeviceTruth | None = None
    ledger: Ledger | None = None
    energy: Energy | None = None
    timings: Timings = Timings()
    batch_histogram: dict[int, int] = {}
    latencies: Latencies | None = None
    found: Found | None = None
    power: Power | None = None
    submittable: Submittable | None = None
    peak_rss_bytes: int | None = None
    notes: tuple[str, ...] = ()
    model_facts: dict[str, Any] = {}
    dataset_facts: dict[str, Any] = {}
    file_sha256: dict[str, str] = {}

    @property
    def ok(self) -> bool:
        """True for a result that may be used."""
        return self.status == "ok"

    def to_json(self) -> str:
        """Indented JSON that `from_json` reads back to an equal value."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> Outcome:
        """Read an outcome; raises msgspec.MsgspecError on a malformed one."""
        return msgspec.json.decode(text, type=Outcome)

    def write(self) -> Path:
        """Write `outcome.json` into the output folder in one step, so that no reader sees half of it."""
        path = Path(self.config.output_dir) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = path.with_suffix(".json.tmp")
        staging.write_text(self.to_json())
        staging.replace(path)
        return path
