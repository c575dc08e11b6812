"""The real `cm` with a script to sweep over, and an experiment without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine, RepoBuilder

sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "results")]

from experiment_lab import Lab, stored, tiny_script  # noqa: E402


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The devices of a test are not those of the test beside it."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def line(tmp_path: Path, strict_repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The real `cm` with cm4bench and the tiny script."""
    calls = tmp_path / "calls"
    tiny_script(strict_repo, calls)
    monkeypatch.setenv("TINY_CALLS", str(calls))
    made = CommandLine(tmp_path)
    for repo in (ROOT, strict_repo.path):
        done = made("cm", "add", "repo", f"--path={repo}")
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An experiment whose throughput is 100 times its size."""
    return Lab(tmp_path, lambda i: stored(i, 100.0 * float(i["size"])))
