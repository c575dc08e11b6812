"""A study that ran once, and its crate, for all tests: they copy what they change."""

import importlib.util
import subprocess
from pathlib import Path

import pytest
from tests.workbench import CommandLine

from .study import clone, make_repository

if any(importlib.util.find_spec(name) is None for name in ("rocrate", "spdx_tools")):
    collect_ignore_glob = ["test_*.py"]

SECRET = "hunter2hunter2"


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `study/` (the repository), `a/` (the first machine) and `a/work/crate.zip` of its only run."""
    base = tmp_path_factory.mktemp("studied")
    first = clone(base / "a", make_repository(base / "study"))
    for command in (
        ("cmr", "measure hashing", f"--study_token={SECRET}"),
        ("cm", "capture", "experiment", "cm4bench-results", "--output=unused.zip"),
    ):
        last = first(*command)
    assert "no result cm4bench-results" in last.stderr + last.stdout  # the folder of all runs is not one run
    done = capture(first, "--output=crate.zip")
    assert done.returncode == 0, done.stdout + done.stderr
    return base


@pytest.fixture
def line(studied: Path) -> CommandLine:
    """The first machine."""
    return reopened(studied / "a")


def reopened(base: Path) -> CommandLine:
    made = CommandLine.__new__(CommandLine)
    made.home, made.cwd = base / "CM", base / "work"
    made.env = clone_environment(base)
    return made


def clone_environment(base: Path) -> dict[str, str]:
    import os

    from tests.workbench import ROOT

    records = str(ROOT / "automation" / "experiment")
    own = {"CM_REPOS": str(base / "CM"), "HOME": str(base), "PYTHONDONTWRITEBYTECODE": "1", "STUDY_RECORDS": records}
    return {**os.environ, **own}


def run_of(line: CommandLine) -> Path:
    """The folder of the study's only run."""
    (folder,) = (path for path in (line.cwd / "cm4bench-results").iterdir() if path.is_dir())
    return folder


def capture(line: CommandLine, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    return line("cm", "capture", "experiment", run_of(line).name, *flags, **env)
