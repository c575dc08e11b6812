"""What one training is: a frozen, validated value that is read from and written to JSON."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from trainer.errors import TrainingError
from trainer.recipe import NotNegative, NotNegativeReal, Positive, PositiveReal

Precision = Literal["fp32", "bf16", "fp16"]
Strategy = Literal["auto", "ddp", "fsdp"]
Tier = Literal["full", "embedded", "synthetic"]
Division = Literal["open", "closed"]
Device = Annotated[str, msgspec.Meta(pattern=r"^(cpu|cuda(:\d+)?)$")]

CONFIG = "config.json"


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides one training.

    ``task`` is a dotted path ``package.module:Class``, found in the folders ``task_path``; ``benchmark`` its name in
    tables and logs. ``options`` are the task's own settings, ``recipe`` hyper-parameters that replace the task's.
    ``runs`` trainings follow each other with the seeds ``seed``, ``seed + 1`` …; MLPerf's score is over all of them.
    ``target`` replaces the task's quality target. A training ends at its target, after its recipe's epochs, or after
    ``max_minutes``, whichever comes first; only the first makes a valid result.
    ``nodes`` hosts with ``processes`` ranks each train together (torchrun); ``node_rank`` and ``rendezvous``
    (host:port) say which of them this is.
    ``checkpoint_every_s`` is the least time between two checkpoints, 0 for one at every epoch's end.
    ``loader_workers`` processes per rank make batches ahead of time; 0 makes them in the training process.
    """

    task: str
    benchmark: str
    output_dir: str
    tier: Tier
    schema: Literal[1] = 1
    task_path: tuple[str, ...] = ()
    dataset: str = ""
    data: str | None = None
    options: dict[str, str] = {}
    recipe: dict[str, Any] = {}
    seed: NotNegative = 0
    runs: Positive = 1
    target: float | None = None
    max_minutes: PositiveReal | None = None
    device: Device = "cpu"
    precision: Precision = "fp32"
    threads: Positive | None = None
    compile: bool = False
    channels_last: bool = False
    accumulation: Positive = 1
    strategy: Strategy = "auto"
    processes: Positive = 1
    nodes: Positive = 1
    node_rank: NotNegative = 0
    rendezvous: str = ""
    loader_workers: NotNegative = 0
    checkpoint_every_s: NotNegativeReal = 30.0
    keep_checkpoint: bool = False
    resume: bool = False
    log: bool = True
    monitor_every_s: NotNegativeReal = 1.0
    hang_timeout_s: PositiveReal = 600.0
    division: Division = "open"
    organization: str = "unnamed"
    platform: str = "unnamed"

    def __post_init__(self) -> None:
        """Refuse what no training could honour."""
        if not re.fullmatch(r"[\w.]+:\w+", self.task):
            raise ValueError(f"task {self.task!r} is not of the form package.module:Class")
        if self.precision == "fp16" and self.device == "cpu":
            raise ValueError("fp16 needs a GPU: its gradients vanish without loss scaling; on a CPU take bf16 or fp32")
        if self.nodes > 1 and not self.rendezvous:
            raise ValueError(f"{self.nodes} nodes need a rendezvous, the host:port of the first of them")
        if self.node_rank >= self.nodes:
            raise ValueError(f"node_rank={self.node_rank} does not exist among {self.nodes} nodes (they count from 0)")

    @property
    def world(self) -> int:
        """Ranks over all nodes."""
        return self.nodes * self.processes

    def to_json(self) -> str:
        """Indented JSON that `from_json` reads back to an equal value."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> TrainConfig:
        """Read a configuration; TrainingError of kind `config` names the field and what it may be."""
        try:
            return msgspec.json.decode(text, type=TrainConfig)
        except msgspec.MsgspecError as error:
            raise TrainingError("config", f"training configuration: {error}", _hint(str(error))) from error

    @staticmethod
    def read(path: Path) -> TrainConfig:
        """Read a configuration file; raises TrainingError like `from_json`."""
        try:
            return TrainConfig.from_json(path.read_bytes())
        except OSError as error:
            raise TrainingError("config", f"cannot read {path}: {error.strerror}") from error


def _hint(message: str) -> str:
    unknown = re.search(r"unknown field `(\w+)`", message)
    near = difflib.get_close_matches(unknown[1], TrainConfig.__struct_fields__, 1, 0.5) if unknown else []
    if near or not unknown:
        return f"did you mean {near[0]}?" if near else ""
    return "fields: " + ", ".join(TrainConfig.__struct_fields__)
