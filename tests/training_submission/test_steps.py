"""The steps around the packages: environment to command line, and verdicts as the steps'."""

import importlib.util
import json
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "script"


def step(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), SCRIPTS / name / "customize.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK = step("run-mlperf-training-submission-checker")
PACK = step("generate-mlperf-training-submission")


def words(env: dict[str, str], module: ModuleType, key: str) -> list[str]:
    assert module.preprocess({"env": env}) == {"return": 0}
    return shlex.split(env[key])


def test_the_checkers_command_line(tmp_path: Path) -> None:
    env = {
        "CM_TMP_CURRENT_PATH": str(tmp_path),
        "CM_MLPERF_SUBMISSION_DIR": "my tree",
        "CM_MLPERF_SUBMISSION_CHECKER_VERSION": "v4.0",
        "CM_MLPERF_SUBMISSION_CHECKER_CSV": "out.csv",
        "CM_MLPERF_SUBMISSION_CHECKER_ALL": "yes",
    }
    found = words(env, CHECK, "CM_MLPERF_TRAINING_CHECKER_ARGUMENTS")
    assert found == [str(tmp_path / "my tree"), "--version=v4.0", f"--csv={tmp_path / 'out.csv'}", "--all"]


def test_a_log_goes_before_the_folder(tmp_path: Path) -> None:
    env = {"CM_TMP_CURRENT_PATH": str(tmp_path), "CM_MLPERF_TRAINING_LOG": "result_0.txt"}
    found = words(env, CHECK, "CM_MLPERF_TRAINING_CHECKER_ARGUMENTS")
    assert found == [f"--log_file={tmp_path / 'result_0.txt'}"]


@pytest.mark.parametrize(("status", "returned"), [("0", 0), ("1", 1), ("", 1)])
def test_findings_fail_the_checkers_step(status: str, returned: int) -> None:
    env: dict[str, Any] = {"CM_MLPERF_SUBMISSION_CHECKER_STATUS": status}
    assert CHECK.postprocess({"env": env})["return"] == returned


def test_the_packers_command_line(tmp_path: Path) -> None:
    env = {
        "CM_TMP_CURRENT_PATH": str(tmp_path),
        "CM_MLPERF_TRAINING_RECORDS": "one, two",
        "CM_MLPERF_SUT_DESCRIPTION_FILE": "/systems/box.json",
        "CM_MLPERF_SUBMITTER": "us",
        "CM_MLPERF_SUBMISSION_DEMONSTRATION": "yes",
    }
    assert words(env, PACK, "CM_MLPERF_TRAINING_SUBMISSION_ARGUMENTS") == [
        str(tmp_path / "one"),
        str(tmp_path / "two"),
        "--description=/systems/box.json",
        f"--output={tmp_path / 'cm4bench-submissions'}",
        "--submitter=us",
        "--demonstration",
        "--locations=training-submission.json",
    ]


def test_a_refusal_and_a_success_reach_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(PACK.LOCATIONS).write_text(json.dumps({"cause": "too few", "hint": "more"}))
    env: dict[str, Any] = {"CM_MLPERF_TRAINING_SUBMISSION_STATUS": "1"}
    assert PACK.postprocess({"env": env}) == {"return": 1, "error": "too few", "hint": "more"}
    Path(PACK.LOCATIONS).write_text(json.dumps({"tree": "/tree", "tarball": "/tree.tar.gz"}))
    env["CM_MLPERF_TRAINING_SUBMISSION_STATUS"] = "0"
    assert PACK.postprocess({"env": env}) == {"return": 0}
    assert env["CM_MLPERF_TRAINING_SUBMISSION_TAR"] == "/tree.tar.gz"
