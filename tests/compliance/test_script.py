"""The CM script around the compliance tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.script.conftest import load_file
from tests.workbench import ROOT

FOLDER = ROOT / "script" / "run-mlperf-inference-compliance"


@pytest.fixture
def script() -> Any:
    return load_file(FOLDER / "customize.py")


def hook_input(folder: Path, **more: str) -> dict[str, Any]:
    return {"env": {"CM_TMP_CURRENT_PATH": str(folder), **more}}


@pytest.mark.parametrize(
    ("given", "said"), [({}, "no finished run was given"), ({"CM_MLPERF_COMPLIANCE_RUN_DIR": "absent"}, "no folder")]
)
def test_a_run_must_be_given(script: Any, tmp_path: Path, given: dict[str, str], said: str) -> None:
    result = script.preprocess(hook_input(tmp_path, **given))
    assert result["return"] == 1
    assert said in result["error"]
    assert "--result_dir=FOLDER" in result["hint"]


def test_flags_reach_the_program_whole(script: Any, tmp_path: Path) -> None:
    command = "python3 my script.py --log {accuracy_log}"
    env = {
        "CM_MLPERF_COMPLIANCE_TEST": "test01, TEST04",
        "CM_MLPERF_COMPLIANCE_ACCURACY_SCRIPT": command,
        "CM_MLPERF_COMPLIANCE_EOS_TOKEN_ID": 0,
    }
    words = script.arguments(env, tmp_path)
    assert words[1:5] == ["--test", "TEST01", "--test", "TEST04"]
    assert f"--accuracy_script={command}" in words
    assert "--eos_token_id=0" in words


def native(i: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        **{key: str(value) for key, value in i["env"].items()},
        "CM_PYTHON_BIN_WITH_PATH": sys.executable,
    }
    return subprocess.run(["bash", str(FOLDER / "run.sh")], env=env, capture_output=True, text=True, timeout=60)


def test_a_failed_verdict_ends_in_an_error_that_names_it(
    script: Any, tmp_path: Path, finished: Callable[..., Path]
) -> None:
    run = finished(backend="tests.compliance.suts:Cheats")
    spaced = run.rename(tmp_path / "a run")
    i = hook_input(tmp_path, CM_MLPERF_COMPLIANCE_RUN_DIR="a run", CM_MLPERF_COMPLIANCE_TEST="TEST01")
    assert script.preprocess(i) == {"return": 0}
    done = native(i)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"files: {spaced}/offline/TEST01" in done.stdout
    result = script.postprocess(i)
    assert result["error"].startswith("not passed: Offline TEST01; Offline TEST01, acc: acc is missing or 0")
    assert result["hint"]
    assert not list(tmp_path.glob("*.json"))


def test_what_cannot_be_tested_is_said_by_the_program(script: Any, tmp_path: Path) -> None:
    i = hook_input(tmp_path, CM_MLPERF_COMPLIANCE_RUN_DIR=str(tmp_path))
    script.preprocess(i)
    done = native(i)
    assert done.returncode == 1
    assert "holds no performance run" in done.stdout


def test_verdicts_that_pass_are_no_error(script: Any, tmp_path: Path) -> None:
    i = hook_input(tmp_path, CM_MLPERF_COMPLIANCE_RUN_DIR=str(tmp_path))
    script.preprocess(i)
    Path(i["env"]["CM_MLPERF_COMPLIANCE_REPORT"]).write_text(json.dumps([]))
    assert script.postprocess(i) == {"return": 0}
