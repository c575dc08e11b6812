"""Small files in the layouts of the real sets, and trainings of the family's tasks in this process."""

from __future__ import annotations

import gzip
import importlib.util
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task

SCRIPTS = Path(__file__).resolve().parents[3] / "script"
FAMILY = SCRIPTS / "get-mlperf-training-task-image-classification"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")

Prepare = Callable[..., Training]


def cifar10(folder: Path, each: int = 20, seed: int = 0) -> Path:
    """Six batches of dots whose colour is their class, as Python 2 pickled them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for name in BATCHES:
        labels = rng.integers(0, 10, each)
        values = rng.integers(0, 40, (each, 3, 1024)) + (labels[:, None] * [20, -20, 10] + [20, 200, 60])[:, :, None]
        content = {b"data": values.reshape(each, 3072).astype(np.uint8), b"labels": labels.tolist()}
        (folder / name).write_bytes(pickle.dumps({b"batch_label": name.encode(), **content}, protocol=2))
    return folder


def idx(folder: Path, train: int = 40, test: int = 10) -> Path:
    """Four packed IDX files of 28 × 28 pictures, whose grey is their class."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("t10k", test)):
        labels = np.arange(count) % 10
        pixels = np.repeat(labels * 25, 784).astype(np.uint8)
        head = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28)
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
        head = struct.pack(">4BI", 0, 0, 8, 1, count)
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.astype(np.uint8).tobytes()))
    return folder


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """A training in this process, not yet run."""

    def make(task: str, folder: str = "run", **changes: Any) -> Training:
        fields: dict[str, Any] = {
            "task": task,
            "task_path": (str(FAMILY),),
            "benchmark": "resnet",
            "output_dir": str(tmp_path / folder),
            "tier": "synthetic",
            "threads": 1,
        }
        config = TrainConfig(**(fields | changes))
        Path(config.output_dir).mkdir(exist_ok=True)
        return Training(load_task(config), config, Engine(config), Silence(), Path(config.output_dir))

    return make


def script_module(folder: str, name: str) -> ModuleType:
    """A program of a script directory as a module."""
    spec = importlib.util.spec_from_file_location(f"{folder.replace('-', '_')}_{name}", SCRIPTS / folder / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
