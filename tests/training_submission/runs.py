"""Runs as the harness leaves them: logs written by the harness's own writer, with a clock that the test sets."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trainer.config import TrainConfig
from trainer.mllog import Log
from trainer.result import QualityReached, TrainResult

FACTS = {
    "train_samples": 1437,
    "eval_samples": 360,
    "global_batch_size": 64,
    "accumulation": 1,
    "nodes": 1,
    "accelerators_per_node": 0,
}


class Clock:
    """A steady clock that goes on by what is told to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def write_log(
    path: Path,
    task: str,
    clock: Clock,
    *,
    quality: float | Mapping[str, float] = 0.98,
    seconds: float = 60.0,
    seed: int = 1,
    success: bool = True,
    epochs: int = 2,
    hyperparameters: Mapping[str, object] | None = None,
    **submission: str,
) -> Path:
    """One whole run of ``epochs`` epochs, each with an evaluation."""
    log = Log(path, task, **{"organization": "us", "platform": "1xCPU", **submission})
    log.start()
    clock.sleep(3)
    log.opening({"opt_name": "sgd", **(hyperparameters or {})}, seed, **FACTS)
    log.run_start()
    for epoch in range(1, epochs + 1):
        log.epoch_start(epoch, FACTS["train_samples"] * (epoch - 1))
        clock.sleep(seconds / epochs)
        done = (epoch, FACTS["train_samples"] * epoch)
        log.epoch_stop(*done)
        log.eval_start(*done)
        log.quality(quality, *done)
        log.eval_stop(*done)
        log.throughput(1000.0, done[1])
    log.run_stop(success, *done)
    log.close()
    return path


def write_run(
    folder: Path,
    task: str,
    clock: Clock,
    *,
    tier: str = "full",
    recipe: Mapping[str, object] | None = None,
    target: float = 0.5,
    **log: Any,
) -> Path:
    """A folder of one run as the harness leaves it: its record and its log."""
    folder.mkdir(parents=True)
    seed, reached = log.get("seed", 1), log.get("success", True)
    name = f"result_{seed}.txt"
    write_log(folder / name, task, clock, **log)
    seconds = log.get("seconds", 60.0)
    TrainResult(
        task="trainer.task:Task",
        benchmark=task,
        dataset="digits",
        tier=tier,
        seed=seed,
        reached=reached,
        ended_by="target" if reached else "epochs",
        quality=QualityReached(metric="top1", value=0.98, target=target, higher_is_better=True),
        config=TrainConfig(task="trainer.task:Task", benchmark=task, output_dir=str(folder), tier=tier, seed=seed),
        recipe={"batch_size": 64, **(recipe or {})},
        time_to_train_s=seconds if reached else None,
        seconds=seconds,
        epochs=2,
        software={"python": "3.11.7", "torch": "2.13.0"},
        host={"cpu_model": "a processor", "cpu_cores": 2, "os": "Linux"},
        log=name,
    ).write(folder)
    return folder
