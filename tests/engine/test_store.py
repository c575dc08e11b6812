"""The store: entries that can be reused, why others cannot, claims, and what is debris."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.plan import Step
from cm4bench.store import Store, entry_uid, explain_difference

MAKES_A_FILE = "echo content > made.txt; echo CM_MADE=$PWD/made.txt >> tmp-run-env.out; echo $CM_FLAVOUR"


@pytest.fixture
def made(bench: Bench, repo: RepoBuilder) -> Bench:
    """A cached step that has run once."""
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}}, tags="get,made")
    bench.run("get,made")
    return bench


def step(bench: Bench, **request: object) -> Step:
    return bench.plan("get,made", **request).root


def test_the_layout_is_that_of_cm(made: Bench):
    [folder] = made.entries()
    assert folder == made.home / "repos" / "local" / "cache" / entry_uid(step(made).id)
    meta = json.loads((folder / "_cm.json").read_text())
    script = step(made).script
    assert meta["uid"] == folder.name
    assert (meta["automation_alias"], meta["automation_uid"]) == ("cache", "541d6f712a6b464e")
    assert meta["associated_script_artifact"] == f"maker,{script.uid}"
    assert meta["tags"] == ["get", "made", f"script-artifact-{script.uid}"]
    state = json.loads((folder / "cm-cached-state.json").read_text())
    assert state["new_env"] == {"CM_MADE": str(folder / "made.txt")}
    assert not list(folder.glob("*.new"))


def test_version_and_variations_are_tags(bench: Bench, repo: RepoBuilder):
    repo.script("v", cache=True, default_version="1.2", variations={"x": {}})
    bench.run("v,_x", options={"extra_cache_tags": "mine"})
    meta = json.loads((bench.entries()[0] / "_cm.json").read_text())
    assert {"v", "_x", "version-1.2", "mine"} <= set(meta["tags"])


def test_a_hit(made: Bench):
    assert step(made).cached
    again = made.run("get,made")
    assert (again.ran, again.made) == ((), ())
    assert Path(again.outcome.new_env["CM_MADE"]).read_text() == "content\n"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda e: (e / "made.txt").unlink(), "CM_MADE is gone"),
        (lambda e: (e / "made.txt").write_text("CONTENT\n"), "CM_MADE was changed"),
        (lambda e: (e / "cm-cached-state.json").write_text("{"), "its earlier entry is gone"),
        (lambda e: (e / "_cm.json").unlink(), "its earlier entry is gone"),
    ],
)
def test_a_damaged_entry_is_made_again(made: Bench, damage, why: str):
    [entry] = made.entries()
    damage(entry)
    missed = step(made)
    assert not missed.cached
    assert missed.miss.startswith(why)
    assert made.run("get,made").made == ("maker",)
    assert (entry / "made.txt").read_text() == "content\n"
    assert step(made).cached


def test_another_identity_behind_the_same_folder_is_no_hit(made: Bench):
    [entry] = made.entries()
    state = json.loads((entry / "cm-cached-state.json").read_text())
    state["cm4bench"]["id"] = "f" * 32
    (entry / "cm-cached-state.json").write_text(json.dumps(state))
    assert not step(made).cached


def test_never_made_before(bench: Bench, repo: RepoBuilder):
    repo.script("maker", cache=True, tags="get,made")
    assert step(bench).miss == "never made before"


def test_an_edited_recipe(made: Bench, repo: RepoBuilder):
    (repo.folder("maker") / "run.sh").write_text(MAKES_A_FILE + " # edited\n")
    assert step(made).miss == "its recipe was edited"


def test_another_input(made: Bench):
    assert step(made, env={"CM_FLAVOUR": "mint"}).miss == "CM_FLAVOUR was unset, is 'mint'"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ({"version": ""}, {"version": "==2"}, "version asked for was any, is ==2"),
        ({"inputs": {"A": "='1'"}}, {"inputs": {"A": "='2'"}}, "A was '1', is '2'"),
        ({"inputs": {"A": "='1'"}}, {"inputs": {"A": "@step"}}, "A was '1', is made by another step"),
        ({"deps": [["deps", "a", "1"]]}, {"deps": [["deps", "a", "2"]]}, "its dependency a changed"),
        ({"deps": [["deps", "a", "1"]]}, {"deps": []}, "its dependency (one fewer) changed"),
        (
            {"deps": [], "platform": "linux-x86_64"},
            {"deps": [], "platform": "linux-aarch64"},
            "it was made on linux-x86_64",
        ),
        ({"deps": [], "keys": [1]}, {"deps": [], "keys": [2]}, "asked for in another way"),
    ],
)
def test_differences_in_words(old: dict, new: dict, why: str):
    assert explain_difference(old, new).startswith(why)


def test_another_platform_makes_its_own(made: Bench):
    from cm4bench import Request
    from cm4bench.facts import Facts

    plan = made.engine(facts=Facts("plan9-mips", {})).plan(Request("get,made"))
    assert "made on linux" in plan.root.miss


def test_renewing(made: Bench):
    assert made.run("get,made", renew=True).made == ("maker",)
    assert len(made.entries()) == 1


# -- claims and debris


def test_a_build_starts_in_a_clean_folder_but_keeps_partial_downloads(made: Bench):
    store, [entry] = Store(made.home), made.entries()
    (entry / "sub").mkdir()
    (entry / "big.zip.part").write_text("half")
    folder = store.clear_for_build(step(made))
    assert [p.name for p in folder.iterdir()] == ["big.zip.part"]


def test_debris_is_swept_by_the_next_run_that_makes_something(made: Bench, repo: RepoBuilder):
    cache = made.home / "repos" / "local" / "cache"
    (cache / "aaaaaaaaaaaaaaaa").mkdir()
    (cache / "bbbbbbbbbbbbbbbb").mkdir()
    (cache / "bbbbbbbbbbbbbbbb" / "x.part").write_text("fresh")
    repo.script("other", cache=True)
    made.run("other")
    assert [p.name for p in made.debris()] == ["bbbbbbbbbbbbbbbb"]
    assert len(made.entries()) == 2


def test_old_partial_downloads_are_debris(made: Bench):
    folder = made.home / "repos" / "local" / "cache" / "cccccccccccccccc"
    folder.mkdir()
    (folder / "x.part").write_text("old")
    os.utime(folder / "x.part", (time.time() - 40 * 86400,) * 2)
    assert Store(made.home).sweep(set()) == [folder]


def test_debris_that_another_process_holds_stays(made: Bench):
    from filelock import FileLock

    folder = made.home / "repos" / "local" / "cache" / "dddddddddddddddd"
    folder.mkdir()
    with FileLock(made.home / "cm4bench" / "locks" / f"{folder.name}.lock"):
        assert Store(made.home).sweep(set()) == []
    assert Store(made.home).sweep(set()) == [folder]


def test_entries_and_their_tags(made: Bench):
    store = Store(made.home)
    [entry] = store.entries()
    assert entry.label == "maker"
    assert "made" in store.tags_of(entry.folder)


def test_an_empty_store(tmp_path: Path):
    assert list(Store(tmp_path).entries()) == []
    assert Store(tmp_path).sweep(set()) == []


def test_values_from_other_steps_are_compared_at_a_hit(
    bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    """The provenance of an uncached step does not pin its value (another host, say), so the value is compared."""
    probe = "import os\ndef preprocess(i):\n    i['env']['CM_HOST'] = os.environ['PROBE']\n    return {'return': 0}\n"
    repo.script("probe", customize=probe, outputs={"CM_HOST": {"type": "str"}})
    repo.script("consumer", cache=True, run="echo CM_SEEN=$CM_HOST >> tmp-run-env.out", new_env_keys=["CM_SEEN"])
    repo.script("top", deps=[{"tags": "probe"}, {"tags": "consumer"}], new_env_keys=["CM_SEEN"])
    seen = []
    for host in ("one", "one", "two", "two"):
        monkeypatch.setenv("PROBE", host)
        report = bench.run("top")
        seen.append((report.outcome.new_env["CM_SEEN"], report.made))
    assert seen == [("one", ("consumer",)), ("one", ()), ("two", ("consumer",)), ("two", ())]
