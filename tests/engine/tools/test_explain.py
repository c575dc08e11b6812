"""Explanations: why chosen, why not the others, which variations, who needs it, why (not) from the cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import Request
from cm4bench.errors import NotFound
from cm4bench.tools.explain import explain, explanation_data, explanation_lines


@pytest.fixture
def family(repo: RepoBuilder) -> RepoBuilder:
    fast = {"group": "speed", "default": True}
    repo.script(
        "get-a",
        tags="get,thing",
        sort=1,
        cache=True,
        variations={"fast": fast, "slow": {"group": "speed"}},
        env={"CM_MODE": "<<<CM_ASKED>>>"},
        new_env_keys=["CM_MODE"],
    )
    repo.script("get-b", tags="get,thing,old", sort=2)
    repo.script("middle", deps=[{"tags": "get,thing", "enable_if_env": {"CM_ON": ["yes"]}}])
    hook = "def preprocess(i):\n    i['env']['CM_LATER'] = 'yes'\n    return {'return': 0}\n"
    later = {"tags": "get,thing,old", "enable_if_env": {"CM_LATER": ["yes"]}}
    repo.script("top", deps=[{"tags": "middle"}], env={"CM_ON": "yes"}, customize=hook, post_deps=[later])
    return repo


def text(bench: Bench, query: str, request: str = "", **values) -> str:
    asked = Request(request, **values) if request else None
    return "\n\n".join("\n".join(explanation_lines(one)) for one in explain(bench.engine(), query, asked))


def test_why_this_one_and_not_the_other(bench: Bench, family: RepoBuilder):
    found = text(bench, "get thing")
    assert found.startswith(
        f"get-a _fast  ({family.folder('get-a')})\nchosen for “get thing”: first of 2 by its sort key 1"
    )
    assert "not get-b: its sort key 2 is higher than 1" in found


def test_one_that_is_in_the_cache_goes_before(bench: Bench, family: RepoBuilder):
    family.script("get-z", tags="get,thing", sort=9, cache=True, variations={"z": {}})
    bench.run("get,thing,_z")
    (found,) = explain(bench.engine(), "get thing")
    assert found.step.script.alias == "get-z"
    assert ("get-a", "get-z is in the cache already") in [(s.alias, why) for s, why in found.rejected]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("get thing -old", "not get-b: it has the tag 'old', which was excluded"),
        ("get thing _slow", "not get-b: it has no variation 'slow'"),
    ],
)
def test_other_reasons_against(bench: Bench, family: RepoBuilder, query: str, why: str):
    assert why in text(bench, query)


def test_order_of_repositories(bench: Bench, family: RepoBuilder, tmp_path: Path):
    second = RepoBuilder(tmp_path / "second")
    second.script("get-c", tags="get,thing", sort=1)
    bench.repos.append(second.value)
    assert "not get-c: its repository second comes after repo" in text(bench, "get thing")


def test_a_script_that_was_set_aside(bench: Bench, family: RepoBuilder):
    (family.folder("get-thing") / "_cm.yaml").write_text("a: [")
    assert "not get-thing: set aside: " in text(bench, "get thing")


def test_variations_with_the_alternatives(bench: Bench, family: RepoBuilder):
    assert "  _fast: default of group speed; in place of _slow" in text(bench, "get thing")


def test_who_needs_it(bench: Bench, family: RepoBuilder):
    found = text(bench, "get thing _fast", "top")
    why = "deps: get,thing, because enable_if_env CM_ON=yes"
    assert f"needed:\n  top\n    └ middle  (deps: middle)\n      └ get-a _fast  ({why})" in found


def test_what_is_decided_later(bench: Bench, family: RepoBuilder):
    assert "needed: top decides on it when CM_LATER is known (enable_if_env CM_LATER=yes)" in text(bench, "old", "top")


def test_what_is_not_needed(bench: Bench, family: RepoBuilder):
    assert "needed: middle does not need it here: enable_if_env CM_ON=yes" in text(bench, "get thing -old", "middle")
    assert "no step of this plan needs it" in text(bench, "old", "middle")


def test_the_cache(bench: Bench, family: RepoBuilder):
    assert "cache: has to be made: never made before" in text(bench, "get thing")
    bench.run("get,thing")
    assert "cache: reused: " in text(bench, "get thing")
    (family.folder("get-a") / "note.txt").write_text("edited")
    assert "cache: has to be made: its recipe was edited" in text(bench, "get thing")
    assert "cache: not cached: " in text(bench, "middle")


def test_what_it_reads_and_gives(bench: Bench, family: RepoBuilder):
    found = text(bench, "get thing", "top", env={"CM_ASKED": "x", "CM_OTHER": "y"})
    assert "reads:\n  CM_ASKED = x\n" in found
    assert "gives:\n  CM_MODE = x" in found
    assert "CM_OTHER" not in found


def test_secrets_are_not_shown(bench: Bench, repo: RepoBuilder):
    repo.script("get-repo", env={"CM_URL": "https://<<<CM_GH_TOKEN>>>@host"}, new_env_keys=["CM_URL"])
    found = text(bench, "get-repo", "get-repo", env={"CM_GH_TOKEN": "abcdefgh"})
    assert "CM_GH_TOKEN = <redacted>" in found
    assert "abcdefgh" not in found


def test_by_alias_and_as_data(bench: Bench, family: RepoBuilder):
    (found,) = explain(bench.engine(), "get-a", Request("top"))
    data = explanation_data(found)
    assert (data["script"], data["needed_by"]) == ("get-a", [["top", "middle", "get-a _fast"]])


def test_many_ways_are_not_all_walked(bench: Bench, repo: RepoBuilder):
    repo.script("level-0")
    for level in range(1, 25):
        below = [{"tags": f"side-{level}-{side}"} for side in "ab"]
        for dep in below:
            repo.script(dep["tags"], deps=[{"tags": f"level-{level - 1}"}])
        repo.script(f"level-{level}", deps=below)
    (found,) = explain(bench.engine(), "level-0", Request("level-24"))
    assert len(found.needs) == 4


def test_nothing_answers(bench: Bench, family: RepoBuilder):
    with pytest.raises(NotFound, match="no script has the tag 'thingy'"):
        explain(bench.engine(), "get thingy")


def test_explaining_runs_nothing(bench: Bench, family: RepoBuilder):
    text(bench, "get thing", "top")
    assert bench.entries() == [] and bench.events == []
