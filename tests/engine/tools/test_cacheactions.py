"""`cm show|find|verify|prune cache`: what the owner of the store sees and does."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError
from cm4bench.tools import cacheactions


@pytest.fixture
def automation(bench: Bench, repo: RepoBuilder) -> Any:
    """A cmind over a store of two entries, `one` with a file."""
    file = "echo content > a; echo CM_A=$PWD/a >> tmp-run-env.out"
    repo.script("one", cache=True, tags="get,one", run=file, outputs={"CM_A": {"type": "file"}}, variations={"v": {}})
    repo.script("two", cache=True, tags="get,two")
    bench.run("get,one,_v")
    bench.run("get,two")
    return SimpleNamespace(cmind=SimpleNamespace(repos_path=str(bench.home)))


def labels(result: dict[str, Any]) -> list[str]:
    return sorted(entry["label"] for entry in result["entries"])


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("", ["one _v", "two"]),
        ("get", ["one _v", "two"]),
        ("get,_v", ["one _v"]),
        ("get,-one", ["two"]),
        ("-_v", ["two"]),
        ("nosuch", []),
    ],
)
def test_choosing(automation: Any, tags: str, found: list[str]):
    assert labels(cacheactions.show(automation, {"tags": tags})) == found


def test_showing(automation: Any, capsys: pytest.CaptureFixture[str]):
    cacheactions.show(automation, {"out": "con", "tags": "one", "env": True})
    out = capsys.readouterr().out
    assert "one _v\n" in out
    assert "get, one, _v" in out
    assert "CM_A=" in out
    assert out.endswith("1 entries\n")


def test_finding(automation: Any, bench: Bench, capsys: pytest.CaptureFixture[str]):
    found = cacheactions.search(automation, {"out": "con", "tags": "get"})["list"]
    assert sorted(Path(entry.path) for entry in found) == bench.entries()
    assert capsys.readouterr().out.split() == [entry.path for entry in found]
    assert all(entry.meta["uid"] == Path(entry.path).name and "get" in entry.meta["tags"] for entry in found)
    assert json.loads(json.dumps(found))[0]["path"] == found[0].path


def test_one_entry_by_its_uid(automation: Any, bench: Bench):
    uid = bench.entries()[0].name
    assert [entry.meta["uid"] for entry in cacheactions.search(automation, {"artifact": uid})["list"]] == [uid]
    cacheactions.prune(automation, {"artifact": uid, "f": True})
    assert uid not in [folder.name for folder in bench.entries()]


def entry_of(bench: Bench, label: str) -> Path:
    return next(e.folder for e in bench.engine().store.entries() if e.label == label)


def test_verifying(automation: Any, bench: Bench, capsys: pytest.CaptureFixture[str]):
    assert cacheactions.verify(automation, {"out": "con"})["return"] == 0
    assert "2 entries are as they were made" in capsys.readouterr().out
    (entry_of(bench, "one _v") / "a").write_text("CONTENT\n")
    with pytest.raises(CMBenchError, match="1 of 2 cache entries are damaged") as caught:
        cacheactions.verify(automation, {})
    assert "one _v: CM_A" in caught.value.cause
    assert caught.value.hint


def test_nothing_is_removed_without_force(automation: Any, bench: Bench, capsys: pytest.CaptureFixture[str]):
    cacheactions.prune(automation, {"out": "con", "tags": "get"})
    assert "would remove 2 entries" in capsys.readouterr().out
    assert len(bench.entries()) == 2


def test_removing_by_tags_and_debris(automation: Any, bench: Bench):
    (bench.home / "repos" / "local" / "cache" / ("a" * 16)).mkdir()
    cacheactions.prune(automation, {"tags": "one", "f": True})
    assert labels(cacheactions.show(automation, {})) == ["two"]
    assert bench.debris() == []
    assert bench.run("get,one,_v").made == ("one _v",)


def test_removing_what_is_damaged(automation: Any, bench: Bench):
    (entry_of(bench, "one _v") / "a").unlink()
    cacheactions.prune(automation, {"damaged": True, "f": True})
    assert labels(cacheactions.show(automation, {})) == ["two"]


def test_removing_what_is_old(automation: Any, bench: Bench):
    file = entry_of(bench, "two") / "cm-cached-state.json"
    state = json.loads(file.read_text())
    state["cm4bench"]["created"] = time.time() - 10 * 86400
    file.write_text(json.dumps(state))
    cacheactions.prune(automation, {"older_than": "9", "f": True})
    assert labels(cacheactions.show(automation, {})) == ["one _v"]
    with pytest.raises(CMBenchError, match="must be a number of days"):
        cacheactions.prune(automation, {"older_than": "soon"})


def test_without_a_choice_no_entry_is_removed(automation: Any, bench: Bench):
    cacheactions.prune(automation, {"f": True})
    assert len(bench.entries()) == 2
