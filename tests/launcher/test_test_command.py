"""./test runs every check, keeps going, and ends with pytest's own words and the right exit code."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

FAKE_PYTHON = """#!/bin/sh
shift
echo "$*" >> "$LOG"
case "$*" in
  "$FAILING"*) exit 3 ;;
  pytest*) echo "5 passed in 0.01s" ;;
esac
"""


@pytest.fixture
def run(tmp_path: Path):
    """A start of ./test in an environment whose Python only notes what it is asked to do."""
    for name in ["test", "requirements.txt", "requirements-test.txt", "constraints.txt"]:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "launcher", tmp_path / "launcher")
    python = tmp_path / ".cm4bench" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    script = f'root="{tmp_path}"; . "$root/launcher/environment.sh"; recipe_of test'
    environment = {"PATH": os.environ["PATH"], "LOG": str(tmp_path / "log"), "FAILING": "nothing"}
    recipe = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
    (tmp_path / ".cm4bench" / "ready-test").write_text(recipe + '"root"\n')

    def run(*arguments: str, failing: str = "nothing"):
        done = subprocess.run(
            [tmp_path / "test", *arguments], env={**environment, "FAILING": failing}, capture_output=True, text=True
        )
        return done, (tmp_path / "log").read_text().splitlines()

    return run


def test_all_checks_run_and_arguments_go_to_pytest(run):
    done, commands = run("-k", "a or b", "tests/launcher")
    assert commands == [
        "ruff check --quiet .",
        "ruff format --quiet --check .",
        "mypy -p cm4bench -p cm4bench_results -m environment -m register",
        "pytest -k a or b tests/launcher",
    ]
    assert done.returncode == 0
    assert "checks:  ruff check: ok  ruff format: ok  mypy: ok" in done.stdout
    assert done.stdout.splitlines()[-1] == "5 passed in 0.01s"


@pytest.mark.parametrize("failing", ["ruff check", "ruff format", "mypy"])
def test_a_failing_check_does_not_stop_the_others_but_fails_the_whole(run, failing: str):
    done, commands = run(failing=failing)
    assert len(commands) == 4
    assert done.returncode != 0
    assert f"{failing}: FAILED" in done.stdout


def test_pytest_decides_the_exit_code(run):
    assert run(failing="pytest")[0].returncode == 3


@pytest.mark.parametrize("script", ["cmr", "test", ".ci/run", "launcher/environment.sh"])
def test_scripts_are_plain_posix_shell(script: str):
    for shell in filter(shutil.which, ["dash", "bash"]):
        subprocess.run([shell, "-n", ROOT / script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-x", script], cwd=ROOT, check=True)
