"""Folders as the training harness leaves them, made with its own types."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from trainer.config import CONFIG, TrainConfig
from trainer.curve import CURVE, Curve, Point
from trainer.result import Failure, ModelFacts, QualityReached, TrainResult

QUALITIES = (0.5, 0.8, 0.97, 0.98)
MONITORED = {
    "every_s": 1.0,
    "samples": 12,
    "own_cpu_s": 0.01,
    "cpu_percent": {"mean": 97.5, "max": 101.0},
    "rss_max_bytes": 300_000_000,
    "gpus": [],
    "gpu_missing": "the training used no GPU",
    "energy": {"missing": "not measured: no RAPL, the training used no GPU"},
}
METERED: dict[str, Any] = {
    **MONITORED,
    "gpus": [
        {
            "name": "Imagined 9000",
            "util_percent": {"mean": 81.0, "max": 99.0},
            "memory_bytes": {"mean": 2e9, "max": 3e9},
            "temperature_c": {"mean": 55.0, "max": 61.0},
            "power_w": {"mean": 250.0, "max": 300.0},
        }
    ],
    "gpu_missing": "",
    "energy": {
        "joules": 3000.0,
        "mean_w": 250.0,
        "peak_w": 300.0,
        "window_s": 12.0,
        "sources": {"NVML Imagined 9000": 3000.0},
    },
}


def config(folder: Path, **changes: Any) -> TrainConfig:
    given: dict[str, Any] = {
        "task": "digits:Digits",
        "benchmark": "resnet",
        "dataset": "digits",
        "tier": "embedded",
        "output_dir": str(folder),
    }
    return TrainConfig(**{**given, **changes})


def training(folder: Path, seed: int = 0, qualities: Sequence[float] = QUALITIES, **changes: Any) -> TrainResult:
    """A run's folder with config, curve, monitor and result; the target is 0.97, an epoch takes 2.5 s."""
    folder.mkdir(parents=True)
    settings = config(folder, seed=seed)
    reached = qualities[-1] >= 0.97 if qualities else False
    seconds = 2.5 * len(qualities) + seed
    values: dict[str, Any] = {
        "task": settings.task,
        "benchmark": settings.benchmark,
        "dataset": settings.dataset,
        "tier": settings.tier,
        "seed": seed,
        "reached": reached,
        "ended_by": "target" if reached else "epochs",
        "quality": QualityReached(
            metric="top1", value=qualities[-1] if qualities else None, target=0.97, higher_is_better=True
        ),
        "config": settings,
        "recipe": {"batch_size": 64, "epochs": 4, "optimizer": "sgd"},
        "time_to_train_s": seconds if reached else None,
        "seconds": seconds,
        "epochs": len(qualities),
        "samples_seen": 1500 * len(qualities),
        "throughput": 600.0 + seed,
        "model": ModelFacts(architecture="ResNet", parameters=78_000, trainable=78_000, bytes=312_000),
        "software": {"python": "3.11.7", "torch": "2.13.0"},
        "host": {"os": "Linux", "cpu_model": "A processor", "cpu_cores": 2, "threads": 1},
        "monitor": MONITORED,
        "created": f"2026-01-31T09:30:{seed:02}+00:00",
    }
    result = TrainResult(**{**values, **changes})
    (folder / CONFIG).write_text(result.config.to_json())
    course(folder, qualities)
    looks(folder, gpu=bool(result.monitor.get("gpus")))
    result.write(folder)
    return result


def failed(folder: Path, seed: int = 0) -> TrainResult:
    failure = Failure(kind="diverged", cause="the loss is nan at step 7 (epoch 0)", hint="a lower --learning_rate")
    return training(folder, seed, (), ended_by="failure", failure=failure, throughput=None)


def course(folder: Path, qualities: Sequence[float]) -> None:
    curve = Curve(folder / CURVE)
    for epoch, quality in enumerate(qualities):
        for step in range(4 * epoch, 4 * epoch + 4):
            here = (2.5 * (step + 1) / 4, epoch, step + 1, 64 * (step + 1))
            curve.add(Point(*here, loss=2.0 / (step + 1), learning_rate=0.1 / (epoch + 1)))
        curve.add(Point(2.5 * (epoch + 1), epoch + 1, 4 * epoch + 4, 256 * (epoch + 1), quality=quality))
    curve.close()


def looks(folder: Path, *, gpu: bool) -> None:
    names = ["unix", "seconds", "cpu_percent", "rss_bytes", "watts"]
    names += ["gpu0_util_percent", "gpu0_power_w", "gpu0_memory_bytes", "gpu0_temperature_c"] if gpu else []
    with (folder / "monitor.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for at in range(12):
            row = [1_700_000_000 + at, at, "" if at == 0 else 97 + at, 3e8, 250 if gpu else ""]
            writer.writerow(row + ([80 + at, 250, 2e9, 55] if gpu else []))


def changed(folder: Path, **changes: Any) -> None:
    """Write other values into a result."""
    path = folder / "result.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **changes}))
