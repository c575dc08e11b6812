"""What is to be converted, and into what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.config import ModelConfig, RunConfig, Tier

Format = Literal["onnx", "tvm"]
Precision = Literal["fp32", "bf16", "fp16", "int8"]
Method = Literal["auto", "static", "dynamic"]


@dataclass(frozen=True)
class Conversion:
    """One conversion.

    Attributes:
        model: what to convert; `weights` may be an .onnx file already.
        task, task_path, dataset, tier: whose samples calibrate and check the result.
        precision: bf16 gives the same file as fp32, since the frameworks that have it cast by themselves.
        method: the way to int8: `static` with ranges measured on samples, `dynamic` with ranges found while running.
        samples: how many samples of the data set calibrate and check.
    """

    model: ModelConfig
    task: str
    task_path: tuple[str, ...]
    dataset: str
    tier: Tier
    format: Format
    precision: Precision
    method: Method
    samples: int
    folder: Path

    @property
    def file(self) -> Path:
        """Where the result is written."""
        return self.folder / "model.onnx"

    @property
    def starts_from_onnx(self) -> bool:
        """True where there is nothing to export."""
        return (self.model.weights or "").endswith(".onnx")

    def run_config(self) -> RunConfig:
        """What the task is opened with."""
        return RunConfig(
            model=self.model,
            dataset=self.dataset,
            scenario="Offline",
            output_dir="",
            tier=self.tier,
            task=self.task,
            task_path=self.task_path,
        )
