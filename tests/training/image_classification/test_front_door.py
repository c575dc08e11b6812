"""The small defaults through cmind's own `cmr`: real data out of packages, trained to their targets."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine


@pytest.fixture(scope="module")
def cmr(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = CommandLine(tmp_path_factory.mktemp("training"))
    added = line("cm", "add", "repo", f"--path={ROOT}")
    assert added.returncode == 0, added.stderr
    return line


def test_imagenet_can_only_be_given(cmr: CommandLine, tmp_path: Path):
    script = "get mlperf training task image-classification _resnet _imagenet"
    assert "ImageNet is not here" in cmr("cmr", script).stderr
    (tmp_path / "train").mkdir()
    assert f"{tmp_path / 'val'} is not there" in cmr("cmr", script, f"--imagenet_path={tmp_path}").stderr


def test_own_pictures_can_only_be_given(cmr: CommandLine):
    assert "no pictures were given" in cmr("cmr", "get mlperf training task image-segmentation _own").stderr


PAGES = ("image-classification", "image-segmentation")
COMMANDS = [
    line
    for page in PAGES
    for line in (ROOT / "docs" / "training" / f"{page}.md").read_text().splitlines()
    if line.startswith('cmr "run mlperf training') and "_cuda" not in line
]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_pages_commands_can_be_planned(cmr: CommandLine, tmp_path: Path, line: str):
    command, *words = shlex.split(line.replace("FOLDER", str(tmp_path)))
    done = cmr(command, *words, "--plan")
    assert done.returncode == 0 and "app-mlperf-training" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "model, dataset",
    [("resnet", "digits"), ("resnet", "fashion-mnist"), ("resnet", "cifar10"), ("unet", "nuclei")],
)
def test_the_small_default_reaches_its_target(cmr: CommandLine, model: str, dataset: str):
    out = cmr.cwd / f"{model}-{dataset}"
    flags = (f"--dataset={dataset}", "--threads=1", f"--output_dir={out}")
    tool = Path(sys.executable).with_name("cmr")
    command = [tool, f"run mlperf training _{model} _cpu", *flags]
    done = subprocess.run(command, env=cmr.env, cwd=cmr.cwd, capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((out / "run_0" / "result.json").read_text())
    assert result["reached"] and result["tier"] == "embedded" and result["dataset"] == dataset
