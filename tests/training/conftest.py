"""Trainings of toy tasks: in this process for the loop, in processes of their own for what surrounds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer.config import TrainConfig

HERE = Path(__file__).parent
Configure = Callable[..., TrainConfig]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """A configuration of a toy task in a folder of its own."""

    def make(task: str = "Blobs", **changes: Any) -> TrainConfig:
        fields: dict[str, Any] = {
            "task": f"toys:{task}",
            "task_path": (str(HERE),),
            "benchmark": "toy",
            "output_dir": str(tmp_path / "out"),
            "tier": "synthetic",
            "threads": 1,
            "monitor_every_s": 0.0,
        }
        return TrainConfig(**(fields | changes))

    return make
