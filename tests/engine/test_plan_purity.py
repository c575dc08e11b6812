"""`--plan` starts no process, opens no connection, and writes nothing but the engine's own index."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.workbench import FIXTURES, ROOT, Bench, RepoBuilder

from cm4bench import Engine, Repo, Request
from cm4bench.planview import plan_data, plan_lines


def tree(*roots: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below, but for the engine's own index."""
    files = [p for root in roots for p in root.rglob("*") if p.is_file()]
    index = ("catalog-", "recipes.bin")
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in files if not p.name.startswith(index)}


@pytest.fixture
def busy(repo: RepoBuilder) -> RepoBuilder:
    """Scripts that would download, run natively, compute and cache."""
    weights = {"name": "weights", "url": "https://localhost/x", "size": 5_000_000}
    code = "import subprocess\nsubprocess.run(['true'])\ndef preprocess(i):\n    subprocess.run(['true'])\n"
    fetch = "curl https://localhost/x"
    repo.script("fetch", cache=True, run=fetch, sources=[weights], outputs={"CM_X": {"type": "file"}})
    repo.script("compute", customize=code, outputs={"CM_Y": {"type": "str"}})
    need = [{"tags": "fetch"}, {"tags": "compute"}, {"tags": "late", "enable_if_env": {"CM_Y": ["1"]}}]
    repo.script("late", cache=True)
    repo.script("top", cache=True, deps=need, run="exit 1")
    return repo


def test_a_plan_of_everything(bench: Bench, busy: RepoBuilder, sealed: None, tmp_path: Path):
    before = tree(tmp_path)
    engine = bench.engine()
    plan = engine.plan(Request("top"))
    assert [s.script.alias for s in plan.steps()] == ["fetch", "compute", "top"]
    assert [e.query for _, e in plan.undecided()] == ["late"]
    assert "5.0 MB to download" in "\n".join(plan_lines(plan, engine.history))
    assert plan_data(plan, engine.history)["steps"]
    assert bench.events == []
    assert tree(tmp_path) == before
    assert sorted(p.name.partition("-")[0] for p in (bench.home / "cm4bench").iterdir()) == ["catalog", "recipes.bin"]


def test_the_seal_holds(sealed: None):
    with pytest.raises(AssertionError, match=r"subprocess\.Popen"):
        subprocess.run(["true"])
    with pytest.raises(AssertionError, match=r"os\.system"):
        os.system("true")


def test_a_plan_over_a_full_cache_changes_nothing(
    bench: Bench, repo: RepoBuilder, request: pytest.FixtureRequest, tmp_path: Path
):
    repo.script("maker", cache=True, run="echo x > a; echo CM_A=$PWD/a >> tmp-run-env.out", new_env_keys=["CM_A"])
    bench.run("maker")
    request.getfixturevalue("sealed")
    before = tree(tmp_path)
    assert bench.plan("maker").to_run() == []
    assert tree(tmp_path) == before
    (bench.entries()[0] / "a").unlink()
    before = tree(tmp_path)
    assert [s.label for s in bench.plan("maker").to_run()] == ["maker"]
    assert tree(tmp_path) == before


def test_plans_of_every_fixture(tmp_path: Path, sealed: None):
    engine = Engine([Repo("semantics", FIXTURES / "semantics")], tmp_path / "CM")
    for script in engine.catalog:
        assert engine.plan(Request(script.alias)).root.script is script


def test_plans_of_our_own_scripts(tmp_path: Path, sealed: None):
    """The front door and all below it, on whatever host this is."""
    engine = Engine([Repo("cm4bench", ROOT, strict=True)], tmp_path / "CM")
    before = tree(ROOT / "script")
    assert engine.plan(Request("run,mlperf,inference")).to_run()
    assert tree(ROOT / "script") == before
