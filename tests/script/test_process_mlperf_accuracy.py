"""process-mlperf-accuracy: finding the log; the score of a real log is the harness's and tested there."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.config import ModelConfig, RunConfig

SCRIPT = Path(__file__).parents[2] / "script" / "process-mlperf-accuracy"


@pytest.fixture
def process(script_file: Callable[..., ModuleType]) -> Any:
    return script_file("process-mlperf-accuracy")


def env(folder: Path, **more: str) -> dict[str, Any]:
    return {"env": {"CM_MLPERF_ACCURACY_RESULTS_DIR": str(folder), **more}}


@pytest.mark.parametrize("below", ["", "run_1"])
def test_the_log_is_found_in_the_folder_or_in_run_1(process: Any, tmp_path: Path, below: str) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    (tmp_path / below / "mlperf_log_accuracy.json").write_text("[]")
    (tmp_path / below / "config.json").write_text("{}")
    i = env(tmp_path)
    assert process.preprocess(i) == {"return": 0}
    assert i["env"]["CM_MLPERF_ACCURACY_FILE"] == str(tmp_path / below / "accuracy.txt")
    assert i["env"]["CM_MLPERF_RUN_CONFIG"] == str(tmp_path / below / "config.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"CM_MLPERF_ACCURACY_RESULTS_DIR": ""}, "no folder of an accuracy run"),
        ({}, "there is no mlperf_log_accuracy.json"),
    ],
)
def test_what_is_missing_is_named(process: Any, tmp_path: Path, change: dict[str, str], says: str) -> None:
    result = process.preprocess(env(tmp_path, **change))
    assert result["return"] == 1
    assert says in result["error"]
    assert "--result_dir" in result["hint"]


@pytest.mark.parametrize(("kind", "skipped"), [("hang", True), ("accuracy", False), (None, False)])
def test_the_cut_log_of_a_failed_run_is_not_scored(
    process: Any, tmp_path: Path, kind: str | None, skipped: bool
) -> None:
    """The run's own diagnosis would be hidden behind what is wrong with its log."""
    run = tmp_path / "run_1"
    run.mkdir()
    (run / "mlperf_log_accuracy.json").write_text('[{"seq_id": 0, "da')
    (run / "config.json").write_text("{}")
    failure = {"kind": kind, "cause": "no answer for 120 s"} if kind else None
    (run / "outcome.json").write_text(json.dumps({"failure": failure}))
    i = env(tmp_path, CM_MLPERF_OUTCOME=str(run / "outcome.json"))
    assert process.preprocess(i) == {"return": 0, **({"skip": True} if skipped else {})}
    assert process.preprocess(env(tmp_path)) == {"return": 0}


def test_a_log_that_does_not_say_what_was_run_cannot_be_scored(process: Any, tmp_path: Path) -> None:
    (tmp_path / "mlperf_log_accuracy.json").write_text("[]")
    result = process.preprocess(env(tmp_path))
    assert f"there is no {tmp_path / 'config.json'}" in result["error"]
    assert "--run_config=FILE" in result["hint"]


def test_the_native_script_writes_accuracy_txt(process: Any, tmp_path: Path) -> None:
    import numpy as np

    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir(), log.mkdir()
    np.save(data / "samples.npy", np.zeros((4, 2, 2, 3), np.uint8))
    np.save(data / "labels.npy", np.arange(4, dtype=np.int64))
    info = {"schema": 1, "name": "four", "tier": "synthetic", "count": 4, "shape": [2, 2, 3]}
    (data / "dataset.json").write_text(json.dumps(info | {"mean": [0, 0, 0], "std": [1, 1, 1]}))
    answers = [
        {"seq_id": n, "qsl_idx": n, "data": struct.pack("<f", label).hex()} for n, label in enumerate((0, 1, 2, 9))
    ]
    (log / "mlperf_log_accuracy.json").write_text(json.dumps(answers))
    config = RunConfig(
        model=ModelConfig(name="m", architecture="none"),
        dataset="/moved/away",
        scenario="Offline",
        output_dir=str(log),
        tier="synthetic",
        task="image_classification.task:ImageClassification",
        task_path=(str(SCRIPT.with_name("get-mlperf-inference-task-image-classification")),),
    )
    (log / "config.json").write_text(config.to_json())
    i = env(log, CM_MLPERF_TASK_DATA=str(data))
    process.preprocess(i)
    exported = {**i["env"], "CM_PYTHON_BIN_WITH_PATH": sys.executable, "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", str(SCRIPT / "run.sh")], env=exported, check=True, capture_output=True, timeout=60)
    assert (log / "accuracy.txt").read_text() == "accuracy=75.000%, good=3, total=4\n"
