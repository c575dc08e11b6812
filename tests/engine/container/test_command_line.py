"""Containers and capsules through the real `cm` and `cmr`; one capsule is run for real, with the network taken away."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine, RepoBuilder

NO_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    command = CommandLine(tmp_path_factory.mktemp("home"))
    repo = RepoBuilder(tmp_path_factory.mktemp("scripts") / "trials")
    repo.script(
        "make-data",
        tags="make,data",
        cache=True,
        run='echo 42 > answer.txt; echo "CM_ANSWER=$PWD/answer.txt" >> tmp-run-env.out',
        outputs={"CM_ANSWER": {"type": "file", "help": "the answer"}},
    )
    for path in (ROOT, repo.path):
        assert command("cm", "add", "repo", f"--path={path}").returncode == 0
    return command


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


def test_container_prints_the_recipe(cli: CommandLine):
    done = cli("cm", "container", "script", "detect os")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# detect os\nFROM docker.io/library/python:")
    definition = cli("cm", "container", "script", "detect os", "--container=apptainer")
    assert definition.stdout.startswith("# detect os\nBootstrap: docker\n")


def test_container_writes_the_build_folder(cli: CommandLine):
    done = cli("cm", "container", "script", "detect os", "--output=image")
    assert done.returncode == 0, done.stderr
    assert (cli.cwd / "image" / "Dockerfile").is_file()
    assert "not empty" in error_of(cli("cm", "container", "script", "detect os", "--output=image"))


def test_no_engine_no_run(cli: CommandLine, tmp_path: Path):
    for tool in ("python3", "git", "sh", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = cli("cmr", "make data", "--container=podman", PATH=str(tmp_path))
    shown = error_of(done)
    assert shown.startswith("error: podman is not installed; no other container engine")
    assert "next: sudo apt install podman" in shown
    assert "CM_ANSWER" not in done.stdout


def test_a_bad_base(cli: CommandLine):
    done = cli("cm", "container", "script", "detect os", "--container_base=python:3.11")
    assert "neither a known base nor pinned by a digest" in error_of(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["capsule", "script", "make data"], "no --output was given"),
        (["capsule", "script", "no such thing", "--output=x"], "error: "),
        (["run-capsule", "script"], "no capsule was named"),
        (["run-capsule", "script", "/nowhere"], "/nowhere is no capsule"),
        (["capsule", "script", "run", "/nowhere"], "/nowhere is no capsule"),
    ],
)
def test_mistakes(arguments: list[str], words: str, cli: CommandLine):
    assert words in error_of(cli("cm", *arguments))
    assert not (cli.cwd / "x").exists()


@pytest.mark.slow
def test_a_capsule_runs_without_network(cli: CommandLine, tmp_path: Path):
    """Made with pip's own index; run by its own ./run with nothing but Python, twice, then by `cm run-capsule`."""
    if subprocess.run([*NO_NETWORK, "true"]).returncode:
        pytest.skip("this machine does not let us take the network away (unshare)")
    capsule = tmp_path / "capsule"
    made = cli("cm", "capsule", "script", "make data", f"--output={capsule}")
    assert made.returncode == 0, made.stdout + made.stderr
    _make_read_only(capsule)
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CM4BENCH_PYTHON": sys.executable}

    def run(*command: str) -> str:
        done = subprocess.run(
            [*NO_NETWORK, *command], env=bare, cwd=tmp_path, capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    first = run(str(capsule / "run"), f"--home={tmp_path / 'there'}")
    answer = Path(next(line for line in first.splitlines() if line.startswith("CM_ANSWER")).partition(": ")[2])
    assert answer.read_text() == "42\n"
    assert answer.is_relative_to(tmp_path / "there")
    assert "every cached step was reused" in first
    assert run(str(capsule / "run"), f"--home={tmp_path / 'there'}").splitlines()[0] == first.splitlines()[0]
    again = cli("cm", "run-capsule", "script", str(capsule), f"--home={tmp_path / 'there'}")
    assert again.returncode == 0, again.stderr
    index = json.loads((capsule / "capsule.json").read_text())
    assert {"cmind", "filelock"} <= {
        m["path"][7:].partition("-")[0] for m in index["members"] if m["path"][:7] == "wheels/"
    }


def _make_read_only(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
