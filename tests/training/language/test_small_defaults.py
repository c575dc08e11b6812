"""The small defaults reach their targets; minutes each, with what packages bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.language.conftest import SCRIPTS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("model", ["_bert", "_bert _sst2", "_sentiment", "_llm", "_lora"])
def test_it_reaches_its_target(tmp_path: Path, model: str) -> None:
    code = "from cmind.cli import run_script; run_script()"
    environment = {**os.environ, "CM_REPOS": str(tmp_path / "CM"), "OMP_NUM_THREADS": "1"}
    added = [sys.executable, "-c", "from cmind.cli import run; run()", "add", "repo", f"--path={SCRIPTS.parent}"]
    subprocess.run(added, env=environment, check=True, capture_output=True)
    command = [sys.executable, "-c", code, f"run mlperf training {model} _cpu", "--threads=1"]
    done = subprocess.run(
        [*command, f"--output_dir={tmp_path / 'run'}"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads((tmp_path / "run" / "run_0" / "result.json").read_bytes())
    assert (result["reached"], result["tier"]) == (True, "embedded")
