"""What one run is: a frozen, validated value that is read from and written to JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from harness.errors import HarnessError
from harness.registry import require_known
from harness.scenarios.base import ALL

SCHEMA = 1

ScenarioName = Literal["SingleStream", "MultiStream", "Offline", "Server", "Interactive"]
Mode = Literal["performance", "accuracy", "find-performance"]
Precision = Literal["fp32", "bf16", "fp16", "int8"]
Residency = Literal["auto", "host", "device"]
Tier = Literal["full", "embedded", "synthetic"]
TIERS: tuple[Tier, ...] = ("synthetic", "embedded", "full")  # weakest claim first

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Percentile = Annotated[float, msgspec.Meta(gt=0, lt=100)]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
DeviceName = Annotated[str, msgspec.Meta(pattern=r"^(cpu|cuda(:\d+)?)$")]


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network. `weights` null means seeded random weights, allowed in the synthetic tier only."""

    name: str
    architecture: str
    weights: str | None = None
    seed: int = 0


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides one loadgen run.

    Times carry their unit in their name. Fields that are null leave the decision to user.conf, and after that to the
    mlperf.conf inside loadgen. `quality_target` has the unit of the task's metric (images: percent top-1).
    `target_latency_ns` is the expected latency in SingleStream and MultiStream and the latency limit in Server.
    `benchmark` is the name that loadgen's mlperf.conf knows, `benchmark_name` the submission checker's (bert, bert-99).
    `task`, `backend` and `model.architecture` are registered names or dotted paths; `task_path` lists the folders that
    hold the packages of the dotted ones. `workers` threads answer side by side, each with `threads` of the framework's.
    `equal_issue` makes every sample appear equally often (the rules of 3d-unet and of language models).
    `sut_servers` are the addresses (`http://host:port`) of a network SUT, whose requests in flight `workers` counts.
    `audit_config` is the file that makes a performance run a compliance run; what it sets goes before everything else.
    With `implementation` cpp the file `program` answers, built by the script app-mlperf-inference-cpp.
    `cuda_graphs` compiles too, and replays recorded kernels instead of launching each (untested on hardware).
    A lower `target_latency_percentile` (percent) lets a demonstration pass early stopping with fewer queries: 64 at the
    90th, 662 at the 99th.
    """

    model: ModelConfig
    dataset: str
    scenario: ScenarioName
    output_dir: str
    tier: Tier
    schema: Literal[1] = 1
    benchmark: str = "resnet50"
    benchmark_name: str = ""
    task: str = "null"
    task_path: tuple[str, ...] = ()
    mode: Mode = "performance"
    backend: str = "pytorch"
    device: DeviceName = "cpu"
    precision: Precision = "fp32"
    batch_size: Positive = 1
    threads: Positive | None = None
    workers: Positive = 1
    channels_last: bool = False
    compile: bool = False
    cuda_graphs: bool = False
    residency: Residency = "auto"
    warmup_batches: NotNegative = 2
    user_conf: str | None = None
    audit_config: str | None = None
    target_qps: PositiveReal | None = None
    target_latency_ns: Positive | None = None
    target_latency_percentile: Percentile | None = None
    min_duration_ms: NotNegative | None = None
    max_duration_ms: NotNegative | None = None
    min_query_count: Positive | None = None
    max_query_count: NotNegative | None = None
    equal_issue: bool | None = None
    coalesce_queries: bool | None = None
    max_async_queries: NotNegative | None = None
    performance_sample_count: Positive | None = None
    sample_memory_mb: Positive | None = None
    quality_target: float | None = None
    sut_servers: tuple[str, ...] = ()
    implementation: Literal["python", "cpp"] = "python"
    program: str = ""
    hang_timeout_s: PositiveReal = 120.0
    load_timeout_s: PositiveReal = 900.0
    ledger: bool = True

    def __post_init__(self) -> None:
        """Refuse combinations that no run could honour."""
        require_known(self.task, "task")
        require_known(self.backend, "backend", "engine")
        self._refuse_meaningless()
        if (self.backend == "network") != bool(self.sut_servers):
            raise ValueError("backend 'network' and sut_servers (the addresses of its servers) go together")
        if self.sut_servers and self.coalesce_queries:
            raise ValueError("coalesce_queries joins queries, which a network SUT's dispatch library must not do")
        if self.cuda_graphs and (self.device == "cpu" or self.backend != "pytorch"):
            raise ValueError(f"cuda_graphs needs backend pytorch on cuda, not {self.backend} on {self.device}")
        if self.max_duration_ms and self.min_duration_ms and self.max_duration_ms < self.min_duration_ms:
            raise ValueError(f"max_duration_ms={self.max_duration_ms} is below min_duration_ms={self.min_duration_ms}")
        if self.audit_config and self.mode != "performance":
            raise ValueError(f"audit_config is for performance runs, this one has mode {self.mode!r}")
        if self.uses_random_weights and self.tier != "synthetic":
            raise ValueError(f"model.weights is null (random weights) but tier is {self.tier!r}: use tier 'synthetic'")

    def _refuse_meaningless(self) -> None:
        scenario = ALL[self.scenario]
        everywhere = {setting.field for one in ALL.values() for setting in one.settings}
        here = {setting.field for setting in scenario.settings}
        for name in sorted(everywhere - here):
            if (value := getattr(self, name)) is not None:
                usable = ", ".join(sorted(here))
                raise ValueError(f"{name}={value} has no meaning in {self.scenario} (usable there: {usable})")

    @property
    def uses_random_weights(self) -> bool:
        """True where a real network is asked for and no weights are given."""
        return self.model.weights is None and self.model.architecture != "none"

    @property
    def conf_name(self) -> str:
        """Benchmark name for loadgen's configuration: Interactive runs read a section of their own."""
        return f"{self.benchmark}-interactive" if self.scenario == "Interactive" else self.benchmark

    @property
    def loadgen_mode(self) -> str:
        """Name of the `mlperf_loadgen.TestMode`: find-performance is a series of performance runs of our own."""
        return "AccuracyOnly" if self.mode == "accuracy" else "PerformanceOnly"

    def to_json(self) -> str:
        """Indented JSON that `from_json` reads back to an equal value."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> RunConfig:
        """Read a configuration.

        Raises:
            HarnessError: kind `config`, naming the field and the bad value's place.
        """
        try:
            return msgspec.json.decode(text, type=RunConfig)
        except msgspec.MsgspecError as error:
            raise HarnessError("config", f"run configuration: {error}", _fields_hint()) from error

    @staticmethod
    def read(path: Path) -> RunConfig:
        """Read a configuration file; raises HarnessError like `from_json`."""
        try:
            return RunConfig.from_json(path.read_bytes())
        except OSError as error:
            raise HarnessError("config", f"cannot read {path}: {error.strerror}") from error


def _fields_hint() -> str:
    return "fields: " + ", ".join(RunConfig.__struct_fields__)
