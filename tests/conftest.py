"""Fixtures shared by all rooms of the tests; the classes behind them are in workbench.py."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.seal import sealing
from tests.workbench import Bench, RepoBuilder

# Packages that live in script directories: the harness, and one package per inference task.
sys.path += sorted({str(found.parents[1]) for found in Path(__file__).parents[1].glob("script/*/*/__init__.py")})


@pytest.fixture
def repo(tmp_path: Path) -> RepoBuilder:
    """An empty repository that tolerates unknown manifest keys, as those of upstream do."""
    return RepoBuilder(tmp_path / "repo")


@pytest.fixture
def strict_repo(tmp_path: Path) -> RepoBuilder:
    """An empty repository in which unknown manifest keys and flags are errors, as in ours."""
    return RepoBuilder(tmp_path / "strict", strict=True)


@pytest.fixture
def bench(tmp_path: Path, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An engine factory over `repo`, working in an empty folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Bench(tmp_path / "CM", repo.value)


@pytest.fixture
def sealed() -> Iterator[None]:
    """No process can be started and no socket opened during the test."""
    with sealing():
        yield
