"""Small data sets in the official layouts, made by the scripts that make the large ones."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trainer import supervise
from trainer.config import TrainConfig
from trainer.result import TrainResult
from trainer.task import Setup, Task

ROOT = Path(__file__).parents[3]
#: the quality after each of so many epochs
Train = Callable[[Task, int], list[float]]


def generator(name: str) -> ModuleType:
    """The program of a data-set script."""
    path = ROOT / "script" / f"get-dataset-{name}" / "generate.py"
    spec = importlib.util.spec_from_file_location(f"generate_{name.replace('-', '_')}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def unsealed(folder: Path) -> Path:
    """As a user's own data: nothing says what the files should be."""
    (folder / "SHA256SUMS").unlink()
    return folder


def setup(data: Path | None, **options: str) -> Setup:
    """What the harness would hand to a task."""
    return Setup(data=data, options=options)


def facts(folder: Path) -> dict[str, object]:
    """What a data set says of itself."""
    found: dict[str, object] = json.loads((folder / "dataset.json").read_text())
    return found


@pytest.fixture
def train() -> Train:
    """A few epochs of a task, without the harness around; the quality after each."""

    def run(task: Task, epochs: int) -> list[float]:
        import torch

        from trainer.batches import in_turn

        torch.manual_seed(0)
        splits = task.splits()
        model, draw = task.model(), torch.Generator()
        optimizer, found = task.optimizer(model, task.recipe), []
        for _ in range(epochs):
            model.train()
            for start in range(0, len(splits[0]), 4):
                indices = range(start, min(start + 4, len(splits[0])))
                task.loss(model, splits[0].batch(indices, draw)).backward()
                optimizer.step()
                optimizer.zero_grad()
            model.eval()
            with torch.no_grad():
                batches = (splits[1].batch(one, draw) for one in in_turn(len(splits[1]), 3, 0, 1))
                found.append(task.quality([task.judge(model, batch) for batch in batches]))
        return found

    return run


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips where a package is missing, without the price of importing it."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


def to_target(task: str, data: Path, out: Path, **changes: Any) -> TrainResult:
    """A whole training as the harness does it, in a process of its own."""
    fields: dict[str, Any] = {
        "task": f"hpc_training.{task}",
        "task_path": (str(ROOT / "script" / "get-mlperf-training-task-hpc"),),
        "benchmark": "toy",
        "output_dir": str(out),
        "tier": "synthetic",
        "data": str(data),
        "threads": 1,
        "monitor_every_s": 0.0,
    }
    return supervise.run(TrainConfig(**(fields | changes)))[0]
