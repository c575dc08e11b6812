"""A SUT that knows every answer and only sleeps: whole submissions at next to no cost, as tests of their format.

`python -m tests.submission.sleeping RESULTS --scenarios Offline,SingleStream` makes runs and their records, as the
front door would, under a model that is called what it is. Such runs are of the synthetic tier, so that no packer takes
them for results.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import supervise
from harness.accuracy import log
from harness.arrays import Array
from harness.backends.base import Execution
from harness.config import ModelConfig, RunConfig
from harness.outcome import Outcome, Quality
from harness.tasks.base import Column, Reduction, Samples, TaskDefaults

CLASSES = 1000
SAMPLE_S = {"SingleStream": 0.004, "MultiStream": 0.001, "Offline": 0.001}
FULL = 50_000


class KnownAnswers(TaskDefaults):
    """As many samples as the last part of `dataset` says; each holds its own answer, one float32."""

    def __init__(self, config: RunConfig) -> None:
        self.count = int(Path(config.dataset).name)  # the harness makes it absolute
        self.columns: tuple[Column, ...] = (Column("x", (1,)),)
        self.sample_bytes = 4
        self._target = config.quality_target

    def load(self, indices: list[int]) -> tuple[Array, ...]:
        import numpy as np

        return (np.asarray(indices, dtype=np.float32)[:, None] % CLASSES,)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        return outputs[0]

    def facts(self) -> dict[str, Any]:
        return {"name": "known answers", "tier": "synthetic", "count": self.count}

    def quality(self, log_dir: Path) -> Quality:
        import numpy as np

        answers = log.read_complete(log_dir, self.count)
        found = np.frombuffer(b"".join(answers), dtype="<f4")
        correct = int((found == np.arange(self.count) % CLASSES).sum())
        value = 100.0 * correct / self.count
        (log_dir / log.FILE_NAME).write_text(f"accuracy={value:.3f}%, good={correct}, total={self.count}\n")
        return Quality(metric="top-1", value=value, unit="%", total=self.count, correct=correct, target=self._target)


class SleepingBackend:
    """Sleeps a little per sample, then gives back what the samples hold."""

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        self._sleep_s = 0.0 if config.mode == "accuracy" else SAMPLE_S[config.scenario]
        self._rows: Array = None

    def load(self) -> dict[str, Any]:
        return {"name": "sleeping", "parameters": 0}

    def stage(self, count: int, columns: tuple[Column, ...], chunks: Iterable[tuple[Samples, ...]]) -> None:
        import numpy as np

        self._rows = np.concatenate([chunk[0] for chunk in chunks])

    def unstage(self) -> None:
        self._rows = None

    def submit(self, rows: list[int], longest: int | None = None) -> list[int]:
        time.sleep(self._sleep_s * len(rows))
        return rows

    def collect(self, ticket: list[int]) -> tuple[Array, ...]:
        return (self._rows[ticket],)

    def execution(self) -> Execution:
        return Execution(used="cpu", executed="sleep", precision="none", residency="host", threads=1)


def configuration(
    folder: Path, scenario: str, mode: str, *, count: int = FULL, min_duration_ms: int = 600_000, **more: Any
) -> RunConfig:
    """The run that goes into `<folder>/<scenario>/<mode>/run_1`, with its user.conf beside it."""
    place = folder / scenario.lower() / mode
    place.mkdir(parents=True, exist_ok=True)
    batch = {"Offline": 128, "MultiStream": 8}.get(scenario, 1)
    (place / "user.conf").write_text(_user_conf(scenario, mode, min_duration_ms))
    fields: dict[str, Any] = {
        "model": ModelConfig(name="sleeping", architecture="none"),
        "dataset": str(count),
        "scenario": scenario,
        "mode": mode,
        "output_dir": str(place / "run_1"),
        "tier": "synthetic",
        "benchmark": "resnet50",
        "benchmark_name": "resnet",
        "task": "tests.submission.sleeping:KnownAnswers",
        "backend": "tests.submission.sleeping:SleepingBackend",
        "batch_size": batch,
        "threads": 1,
        "warmup_batches": 0,
        "user_conf": str(place / "user.conf"),
        "quality_target": 75.0,
        "ledger": False,
        "hang_timeout_s": 120.0,
    }
    return RunConfig(**(fields | more))


def _user_conf(scenario: str, mode: str, min_duration_ms: int) -> str:
    rate = 1 / SAMPLE_S[scenario]
    target = f"target_qps = {rate:g}" if scenario == "Offline" else f"target_latency = {_query_ms(scenario):g}"
    keys = {"min_duration": min_duration_ms, "min_query_count": 64}
    lines = [f"resnet50.{scenario}.{key} = {value}\n" for key, value in keys.items()]
    short = "".join(lines) if min_duration_ms < 600_000 else ""
    return f"resnet50.{scenario}.{target}\n" + (short if mode == "performance" else "")


def _query_ms(scenario: str) -> float:
    return 1000 * SAMPLE_S[scenario] * (8 if scenario == "MultiStream" else 1)


def measure(folder: Path, scenarios: Sequence[str], *, workers: int = 1, **options: Any) -> list[Outcome]:
    """Make the accuracy and performance runs of some scenarios; raises AssertionError where one has failed."""
    configs = [configuration(folder, one, mode, **options) for one in scenarios for mode in ("accuracy", "performance")]
    with ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(supervise.run, configs))
    for outcome in outcomes:
        assert outcome.ok, outcome.failure
    return outcomes


def store(folder: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """The record of each scenario, as the front door keeps it."""
    from cm4bench_results.harvest import Context, join
    from cm4bench_results.record import Host, Request
    from cm4bench_results.store import ResultStore

    results = ResultStore(folder.parent)
    context = Context("2026-01-01T00:00:00Z", Request(("run mlperf inference", "_sleeping")), Host(os="test"))
    paths = []
    for scenario in dict.fromkeys(outcome.config.scenario for outcome in outcomes):
        name = f"{folder.name}/{scenario.lower()}"
        group = [outcome for outcome in outcomes if outcome.config.scenario == scenario]
        paths.append(results.save(join(name, results.folder(name), group, context)))
    return paths


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--scenarios", default="SingleStream,MultiStream,Offline")
    parser.add_argument("--min_duration", type=int, default=600_000)
    options = parser.parse_args()
    folder = options.results.absolute() / "20260101-000000-sleeping-0000"
    scenarios = options.scenarios.split(",")
    outcomes = measure(folder, scenarios, workers=2 * len(scenarios), min_duration_ms=options.min_duration)
    for path in store(folder, outcomes):
        print(path)


if __name__ == "__main__":
    main()
