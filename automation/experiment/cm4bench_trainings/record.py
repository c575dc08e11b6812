"""One training as its readers see it: the harness's result.json, read without the harness.

Keys that a reader does not need are left in ``source``; keys that a newer harness adds do not hinder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

SCHEMA = "cm4bench-training/1"


class TrainingError(Exception):
    """A diagnosed problem. ``cause`` is a line or two, ``hint`` the next thing to type."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The last quality taken, held against its target."""

    metric: str
    target: float
    higher_is_better: bool
    value: float | None = None

    def reaches(self, value: float) -> bool:
        """Whether a value is as good as the target."""
        return value >= self.target if self.higher_is_better else value <= self.target


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a training did not come to an end."""

    kind: str
    cause: str
    hint: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The network: parameters, and bytes of parameters and buffers."""

    architecture: str
    parameters: int
    trainable: int
    bytes: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Mean and maximum of what was sampled."""

    mean: float | None = None
    max: float | None = None


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU over a training."""

    name: str
    util_percent: Spread = Spread()
    memory_bytes: Spread = Spread()
    temperature_c: Spread = Spread()
    power_w: Spread = Spread()


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """Joules and watts, or why there are none."""

    joules: float | None = None
    mean_w: float | None = None
    peak_w: float | None = None
    window_s: float | None = None
    sources: dict[str, float] = {}
    estimated: bool = False
    missing: str = ""


NOT_MONITORED = "not measured: the monitor was off"


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """What the host did meanwhile; the defaults are those of a training without a monitor."""

    every_s: float = 0.0
    samples: int = 0
    own_cpu_s: float | None = None
    cpu_percent: Spread = Spread()
    host_cpu_percent: Spread = Spread()
    rss_max_bytes: int | None = None
    host_memory_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    gpus: tuple[Gpu, ...] = ()
    gpu_missing: str = ""
    energy: Energy = Energy(missing=NOT_MONITORED)
    trouble: str = ""


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """One training. Times in seconds, throughput in samples per second.

    ``path`` is its result.json, ``name`` what it is called among others, ``source`` the file's text.
    """

    schema: str
    benchmark: str
    dataset: str
    tier: str
    seed: int
    reached: bool
    ended_by: str
    quality: Quality
    config: dict[str, Any] = {}
    recipe: dict[str, Any] = {}
    time_to_train_s: float | None = None
    seconds: float = 0.0
    epochs: int = 0
    samples_seen: int = 0
    throughput: float | None = None
    tokens_per_s: float | None = None
    loading_share: float | None = None
    evaluation_s: float = 0.0
    checkpoint_s: float = 0.0
    train_samples: int = 0
    eval_samples: int = 0
    resumed: int = 0
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None
    model: Model | None = None
    software: dict[str, str] = {}
    host: dict[str, Any] = {}
    monitor: Monitor = Monitor()
    failure: Failure | None = None
    created: str = ""
    path: str = ""
    name: str = ""
    source: str = ""

    @property
    def folder(self) -> Path:
        return Path(self.path).parent

    @property
    def verdict(self) -> tuple[bool, str]:
        """Whether there is a valid result, and why there is none."""
        if self.failure:
            return False, f"failed ({self.failure.kind}): {self.failure.cause}"
        if self.reached:
            return True, ""
        limit = {"epochs": f"its {self.epochs} epochs were over", "time": "its time was used up"}
        return False, f"the target was not reached when {limit.get(self.ended_by, 'it ended')}"

    @property
    def joules_per_sample(self) -> float | None:
        """Energy of the whole run by trained samples; None where it is not known of the whole run."""
        joules = self.monitor.energy.joules
        return joules / self.samples_seen if joules is not None and self.samples_seen and not self.resumed else None


def is_training(content: bytes) -> bool:
    """Whether a result.json is a training's: told without reading all of it."""
    return b'"cm4bench-training/' in content


def loads(content: bytes, path: Path, name: str) -> Training:
    """Read one training; raises TrainingError where the text is none, or of a schema that is not known here."""
    try:
        found = msgspec.json.decode(content, type=Training)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TrainingError(f"it is no training result: {error}") from None
    if found.schema != SCHEMA:
        raise TrainingError(f"its schema is {found.schema!r}, these readers know {SCHEMA}")
    source = content.decode("utf-8", errors="replace")
    return msgspec.structs.replace(found, path=str(path), name=name, source=source)
