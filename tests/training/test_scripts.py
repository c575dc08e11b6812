"""From the environment of a CM script to a configuration, and from results to what the user is told."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from tests.training.conftest import HERE, Configure

from trainer.errors import TrainingError
from trainer.result import Failure, QualityReached, TrainResult

SCRIPTS = HERE.parents[1] / "script"


def module(path: str) -> ModuleType:
    """A script's module, which is no package's."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_").replace("-", "_"), SCRIPTS / f"{path}.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


settings = module("app-mlperf-training/mlperf_training_config")
app = module("app-mlperf-training/customize")
front = module("run-mlperf-training/customize")

ENV = {
    "CM_MODEL": "resnet",
    "CM_MLPERF_TRAINING_TASK": "digits.task:Digits",
    "CM_MLPERF_TRAINING_TASK_PATH": os.pathsep.join(["/a", "/b"]),
    "CM_MLPERF_TRAINING_DATASET": "digits",
    "CM_MLPERF_DATA_TIER": "embedded",
}


def test_an_environment_becomes_a_configuration(tmp_path: Path) -> None:
    more = {
        "CM_MLPERF_TRAINING_OPTION_NETWORK": "resnet18",
        "CM_MLPERF_TRAINING_RECIPE_LEARNING_RATE": "0.3",
        "CM_MLPERF_TRAINING_RUNS": "3",
        "CM_MLPERF_TRAINING_TARGET": "0.5",
        "CM_NUM_THREADS": 2,
        "CM_HW_NAME": "box",
    }
    config = settings.build(ENV | more, tmp_path, "cpu")
    assert config.task_path == ("/a", "/b")
    assert (config.benchmark, config.options, config.recipe) == (
        "resnet",
        {"network": "resnet18"},
        {"learning_rate": "0.3"},
    )
    assert (config.runs, config.target, config.threads, config.platform) == (3, 0.5, 2, "box")
    assert (config.precision, config.channels_last, config.processes) == ("fp32", False, 1)


def test_a_gpu_changes_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,3")
    config = settings.build(ENV, tmp_path, "cuda")
    assert (config.precision, config.channels_last, config.processes) == ("bf16", True, 3)
    chosen = ENV | {"CM_MLPERF_TRAINING_PRECISION": "fp32", "CM_MLPERF_TRAINING_PROCESSES": "1"}
    config = settings.build(chosen | {"CM_MLPERF_TRAINING_CHANNELS_LAST": "no"}, tmp_path, "cuda")
    assert (config.precision, config.channels_last, config.processes) == ("fp32", False, 1)


def test_visible_gpus_are_counted(tmp_path: Path) -> None:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()
    assert settings.visible_gpus({}, tmp_path) == 2
    assert settings.visible_gpus({}, tmp_path / "none") == 0
    assert settings.visible_gpus({"CUDA_VISIBLE_DEVICES": "1"}, tmp_path) == 1
    assert settings.visible_gpus({"CUDA_VISIBLE_DEVICES": "-1"}, tmp_path) == 0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("CM_MLPERF_TRAINING_RUNS", "few", "CM_MLPERF_TRAINING_RUNS is 'few', which is no whole number"),
        ("CM_MLPERF_TRAINING_PROCESSES", "all", "neither a number nor auto"),
        ("CM_MLPERF_TRAINING_STRATEGY", "zero", "strategy"),
    ],
)
def test_a_value_that_cannot_be_is_named(tmp_path: Path, key: str, value: str, words: str) -> None:
    with pytest.raises((TrainingError, ValueError), match=words):
        settings.build(ENV | {key: value}, tmp_path, "cpu")


def test_only_a_training_can_be_resumed(tmp_path: Path) -> None:
    env = {"CM_MLPERF_TRAINING_RESUME": str(tmp_path)}
    assert "holds no training to resume" in app.not_resumable(env, tmp_path)["error"]
    (tmp_path / "training_config.json").touch()
    assert app.not_resumable(env, tmp_path) is None


def result(configure: Configure, **changes: Any) -> TrainResult:
    quality = QualityReached(metric="top1", value=0.91, target=0.9, higher_is_better=True)
    fields: dict[str, Any] = {"reached": True, "ended_by": "target", "quality": quality, "epochs": 3, "seconds": 4.0}
    config = configure()
    named = {"task": config.task, "benchmark": "toy", "dataset": "blobs", "tier": "synthetic", "seed": 0}
    return TrainResult(**(named | fields | {"config": config} | changes))


def told(results: list[TrainResult], folder: Path, script: ModuleType) -> dict[str, Any]:
    for index, one in enumerate(results):
        (folder / f"run_{index}").mkdir()
        one.write(folder / f"run_{index}")
    env = {"CM_MLPERF_TRAINING_RUN_DIR": str(folder)}
    found: dict[str, Any] = script.postprocess({"env": env, "state": {}})
    return found


def test_a_target_that_was_missed_is_no_result(configure: Configure, tmp_path: Path) -> None:
    quality = QualityReached(metric="top1", value=0.5, target=0.9, higher_is_better=True)
    late = result(configure, reached=False, ended_by="epochs", quality=quality)
    found = told([result(configure), late], tmp_path, front)
    assert found["return"] == 1
    assert "target not reached in 1 of 2 trainings: top1 is 0.5, the target 0.9" in found["error"]
    assert "--epochs=6" in found["hint"]


def test_a_training_in_time_is_one(configure: Configure, tmp_path: Path, capsys: Any) -> None:
    assert told([result(configure)], tmp_path, front)["return"] == 0
    assert "0.91" in capsys.readouterr().out
    assert (tmp_path / "trainings.html").is_file()


def test_a_failure_names_the_folder_to_resume(configure: Configure, tmp_path: Path) -> None:
    failure = Failure(kind="killed", cause="rank 1 was ended by SIGKILL", hint="with --resume goes on", log="/x")
    found = told([result(configure, reached=False, ended_by="failure", failure=failure)], tmp_path, app)
    assert (found["return"], found["error"]) == (1, "rank 1 was ended by SIGKILL\nlog: /x")
    assert found["hint"] == f"with --resume={tmp_path} goes on"


def test_a_result_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "run_0").mkdir()
    (tmp_path / "run_0" / "result.json").write_bytes(msgspec.json.encode({"schema": "else"}))
    assert (
        "is no training result"
        in app.postprocess({"env": {"CM_MLPERF_TRAINING_RUN_DIR": str(tmp_path)}, "state": {}})["error"]
    )
