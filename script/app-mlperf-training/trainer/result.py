"""What a training gave: frozen values, written to ``run_<i>/result.json`` and, over all runs, ``summary.json``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from trainer.config import TrainConfig
from trainer.errors import TrainingError

SCHEMA = "cm4bench-training/1"
RESULT, SUMMARY = "result.json", "summary.json"


class QualityReached(msgspec.Struct, frozen=True, kw_only=True):
    """The last quality taken against its target, and the figures that it was made of, if there are several."""

    metric: str
    value: float | None
    target: float
    higher_is_better: bool
    parts: dict[str, float] = {}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A diagnosed end: one word, the cause, what to type next, and the log to read."""

    kind: str
    cause: str
    hint: str = ""
    log: str = ""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Size of a network: parameters, and bytes of parameters and buffers as they lie in memory."""

    architecture: str
    parameters: int
    trainable: int
    bytes: int


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """One training.

    ``reached`` says whether the target was met: only then ``time_to_train_s`` (from run_start to run_stop of the log)
    is a result; ``seconds`` is the same without that condition. ``throughput`` is trained samples per second of
    training time: evaluation, checkpoints and the first steps are left out. ``loading_share`` is the part of that time
    spent waiting for data.
    """

    task: str
    benchmark: str
    dataset: str
    tier: str
    seed: int
    reached: bool
    ended_by: Literal["target", "epochs", "time", "failure"]
    quality: QualityReached
    config: TrainConfig
    recipe: dict[str, Any] = {}
    schema: str = SCHEMA
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
    model: ModelFacts | None = None
    software: dict[str, str] = {}
    host: dict[str, Any] = {}
    monitor: dict[str, Any] = {}
    log: str = ""
    failure: Failure | None = None
    created: str = ""

    def write(self, folder: Path) -> Path:
        """Write into ``folder``, complete or not at all."""
        return write_json(folder / RESULT, self)

    @staticmethod
    def read(path: Path) -> TrainResult:
        """Read a result file; TrainingError of kind `result` where it is none."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=TrainResult)
        except (OSError, msgspec.MsgspecError) as error:
            raise TrainingError("result", f"{path} is no training result: {error}", f"ls {path.parent}") from error


def write_json(path: Path, value: Any) -> Path:
    """Indented JSON, renamed into place."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=1)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(text + b"\n")
    part.replace(path)
    return path
