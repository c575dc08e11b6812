"""Finished runs of tiny SUTs with the real loadgen, and logs of the official format to be judged."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlperf_compliance.case import Case
from tests.harness.conftest import configure, dotted_backends, write_dataset

from harness import rounds, supervise

__all__ = ["configure", "dotted_backends"]

SEEDS = rounds.load("v6.1").seeds
KEYS = {
    "Offline": "result_samples_per_second",
    "SingleStream": "early_stopping_latency_ss",
    "MultiStream": "early_stopping_latency_ms",
    "Server": "result_completed_samples_per_sec",
}
LINES = {
    "Offline": "Samples per second: {}",
    "SingleStream": " * Early stopping 90th percentile estimate: {}",
    "MultiStream": " * Early stopping 99th percentile estimate: {}",
    "Server": "Completed samples per second    : {}",
}


@pytest.fixture(scope="session")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 images, each filled with its label."""
    labels = np.arange(100)
    images = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (100, 2, 2, 3))
    return write_dataset(tmp_path_factory.mktemp("telling"), images, labels, mean=(0.0,) * 3, std=(1.0,) * 3)


@pytest.fixture
def finished(tmp_path: Path, configure: Callable[..., Any], telling: Path) -> Callable[..., Path]:
    """Factory of finished run folders: a performance and an accuracy run of one scenario."""

    def make(scenario: str = "Offline", accuracy: bool = True, **changes: Any) -> Path:
        own = {
            "scenario": scenario,
            "task": "image_classification.task:ImageClassification",
            "backend": "tests.compliance.suts:Steady",
            "dataset": str(telling),
            "benchmark_name": "resnet50",
            "performance_sample_count": 100,
            "min_query_count": 400,
        }
        for mode in ("performance", *(["accuracy"] if accuracy else [])):
            place = tmp_path / "run" / scenario.lower() / mode / "run_1"
            outcome = supervise.run(configure(**own | changes | {"mode": mode, "output_dir": str(place)}))
            assert outcome.failure is None, outcome.failure
        return tmp_path / "run"

    return make


class Logs:
    """Makes the logs of one run in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def measured(
        self,
        scenario: str = "Offline",
        score: float = 100.0,
        *,
        valid: bool = True,
        errors: int = 0,
        limit_ns: int = 15_000_000,
    ) -> Logs:
        """mlperf_log_detail.txt and mlperf_log_summary.txt as loadgen writes them."""
        verdict = "VALID" if valid else "INVALID"
        values = {
            **{f"effective_{key}": getattr(SEEDS, key) for key in SEEDS.__struct_fields__},
            "effective_scenario": scenario,
            "effective_target_latency_ns": limit_ns,
            KEYS[scenario]: score,
            "result_validity": verdict,
            "num_errors": errors,
            "power_end": "11-22-2026 10:00:00.000",
        }
        lines = [_line(key, value) for key, value in values.items()]
        lines += [_line("error_runtime", f"error {k}", is_error=True) for k in range(errors)]
        (self.folder / "mlperf_log_detail.txt").write_text("\n".join(lines) + "\n")
        shown = LINES[scenario].format(score)
        text = f"Scenario : {scenario}\n{shown}\nResult is : {verdict}\n"
        (self.folder / "mlperf_log_summary.txt").write_text(text)
        return self

    def answered(self, answers: list[dict[str, Any]]) -> Logs:
        """mlperf_log_accuracy.json."""
        lines = ",\n".join(json.dumps({"seq_id": k} | one) for k, one in enumerate(answers))
        (self.folder / "mlperf_log_accuracy.json").write_text(f"[\n{lines}\n]\n")
        return self


def _line(key: str, value: Any, *, is_error: bool = False) -> str:
    metadata = {"is_error": is_error, "is_warning": False, "file": "x.cc", "line_no": 1, "pid": 1, "tid": 1}
    entry = {"key": key, "value": value, "time_ms": 0.0, "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME"}
    return ":::MLLOG " + json.dumps(entry | {"metadata": metadata})


def packed(form: str, *values: float) -> str:
    """Values as loadgen writes a response's bytes."""
    return struct.pack(f"<{len(values)}{form}", *values).hex().upper()


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Callable[..., tuple[Case, Logs, Logs, Logs]]]:
    """Factory of a Case with its three folders, to be filled: measured, accuracy and compliance run."""

    def make(test: str, benchmark: str, scenario: str = "Offline", **changes: Any) -> tuple[Case, Logs, Logs, Logs]:
        v61 = rounds.load("v6.1")
        results = tmp_path / "results"
        measured, accuracy = Logs(results / "performance" / "run_1"), Logs(results / "accuracy")
        compliance = Logs(tmp_path / "logs")
        fields: dict[str, Any] = {
            "test": test,
            "benchmark": v61.benchmark(benchmark),
            "scenario": scenario,
            "audit": v61.audit(benchmark, test),
            "performance": measured.folder,
            "accuracy": accuracy.folder,
            "compliance": compliance.folder,
        }
        return Case(**fields | changes), measured, accuracy, compliance

    yield make
