"""The two steps: environment to command line, and the checker's verdict as the step's."""

import importlib.util
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


CHECK = step("run-mlperf-inference-submission-checker")
REPORT = step("generate-mlperf-inference-final-report")


def told(env: dict[str, str], step: ModuleType, key: str) -> list[str]:
    assert step.preprocess({"env": env}) == {"return": 0}
    return shlex.split(env[key])


def test_the_checkers_command_line(tmp_path: Path) -> None:
    (tmp_path / "my tree").mkdir()
    env = {
        "CM_TMP_CURRENT_PATH": str(tmp_path),
        "CM_MLPERF_INFERENCE_SUBMISSION_DIR": "my tree",
        "CM_MLPERF_SUBMISSION_CHECKER_VERSION": "v6.1",
        "CM_MLPERF_SUBMISSION_CHECKER_UPSTREAM": "inference",
        "CM_MLPERF_SUBMISSION_CHECKER_ALL": "yes",
    }
    assert told(env, CHECK, "CM_MLPERF_SUBMISSION_CHECKER_ARGUMENTS") == [
        str(tmp_path / "my tree"),
        f"--csv={tmp_path / 'summary.csv'}",
        "--version=v6.1",
        f"--upstream={tmp_path / 'inference'}",
        "--all",
    ]


def test_a_folder_that_is_not_there() -> None:
    said = CHECK.preprocess({"env": {"CM_MLPERF_INFERENCE_SUBMISSION_DIR": "/nowhere"}})
    assert (said["return"], "/nowhere" in said["error"], "--submission_dir" in said["hint"]) == (1, True, True)


@pytest.mark.parametrize(("status", "returned"), [("0", 0), ("1", 1), ("", 1)])
def test_findings_fail_the_step(status: str, returned: int) -> None:
    env: dict[str, Any] = {"CM_MLPERF_SUBMISSION_CHECKER_STATUS": status}
    assert CHECK.postprocess({"env": env})["return"] == returned


def test_the_reports_command_line(tmp_path: Path) -> None:
    (tmp_path / "summary.csv").touch()
    env = {"CM_TMP_CURRENT_PATH": str(tmp_path), "CM_MLPERF_FINAL_REPORT_OUTPUT": "out"}
    words = told(env, REPORT, "CM_MLPERF_FINAL_REPORT_ARGUMENTS")
    assert words == [str(tmp_path / "summary.csv"), f"--output={tmp_path / 'out'}"]
    assert env["CM_MLPERF_FINAL_REPORT_PAGE"] == str(tmp_path / "out" / "final-report.html")


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    said = REPORT.preprocess({"env": {"CM_TMP_CURRENT_PATH": str(tmp_path)}})
    assert (said["return"], "submission checker" in said["hint"]) == (1, True)
