"""Runs as the harness leaves them: logs written by the harness's own writer, with a clock that the test sets."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from trainer.mllog import Log

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


def write_run(folder: Path, task: str, clock: Clock, *, tier: str = "full", **log: object) -> Path:
    """A folder of one run: its record and its log."""
    folder.mkdir(parents=True)
    name = f"result_{log.get('seed', 1)}.txt"
    write_log(folder / name, task, clock, **log)
    (folder / "result.json").write_text(json.dumps(record(task, name, tier=tier, **log)))
    return folder


def record(task: str, name: str, *, tier: str = "full", **log: object) -> dict[str, object]:
    """The harness's record of such a run."""
    return {
        "schema": "cm4bench-training/1",
        "task": task,
        "benchmark": task,
        "dataset": "digits",
        "tier": tier,
        "seed": log.get("seed", 1),
        "reached": log.get("success", True),
        "quality": {"metric": "top-1", "value": log.get("quality", 0.98), "target": 0.97, "higher_is_better": True},
        "time_to_train_s": log.get("seconds", 60.0),
        "epochs": 2,
        "samples_seen": 2874,
        "throughput": 1000.0,
        "config": {"batch_size": 64},
        "software": {"python": "3.11.7", "torch": "2.13.0"},
        "host": {"cpu": "a processor"},
        "log": name,
    }
