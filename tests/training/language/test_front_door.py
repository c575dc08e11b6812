"""Language and translation through cmind's own `cmr`: their pages' commands, what only the user can bring, targets."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine

TASK = "get mlperf training task"
COMMANDS = [
    line
    for page in ("language", "translation")
    for line in (ROOT / "docs" / "training" / f"{page}.md").read_text().splitlines()
    if line.startswith('cmr "run mlperf training') and "_cuda" not in line
]


@pytest.fixture(scope="module")
def cmr(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = CommandLine(tmp_path_factory.mktemp("training"))
    added = line("cm", "add", "repo", f"--path={ROOT}")
    assert added.returncode == 0, added.stderr
    return line


@pytest.mark.parametrize("line", COMMANDS)
def test_the_pages_commands_can_be_planned(cmr: CommandLine, tmp_path: Path, line: str):
    command, *words = shlex.split(line.replace("FOLDER", str(tmp_path)))
    done = cmr(command, *words, "--plan")
    assert done.returncode == 0 and "app-mlperf-training" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("language _bert", "wikipedia"),
        ("language _bert _sst2", "sst2"),
        ("language _sentiment", "imdb"),
        ("language _llm", "c4"),
        ("language _lora", "govreport"),
        ("translation", "wmt"),
    ],
)
def test_official_data_can_only_be_given(cmr: CommandLine, tmp_path: Path, task: str, name: str):
    assert f"{name} is not here" in cmr("cmr", f"{TASK} {task} _full").stderr
    assert "is not there, or no folder" in cmr("cmr", f"{TASK} {task} _full", f"--{name}_path=/nowhere").stderr


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("model", ["_bert", "_bert _sst2", "_sentiment", "_llm", "_lora", "_transformer"])
def test_the_small_default_reaches_its_target(cmr: CommandLine, model: str):
    out = cmr.cwd / model.replace(" ", "")
    tool = Path(sys.executable).with_name("cmr")
    command = [tool, f"run mlperf training {model} _cpu", "--threads=1", f"--output_dir={out}"]
    done = subprocess.run(command, env=cmr.env, cwd=cmr.cwd, capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((out / "run_0" / "result.json").read_text())
    assert result["reached"] and result["tier"] == ("synthetic" if model == "_transformer" else "embedded")
