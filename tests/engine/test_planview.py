"""Plans as text and as data."""

import json

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import Request
from cm4bench.planview import plan_data, plan_lines
from cm4bench.units import megabytes, seconds


def lines(bench: Bench, tags: str, **request: object) -> list[str]:
    engine = bench.engine()
    return list(plan_lines(engine.plan(Request(tags, **request)), engine.history))


@pytest.fixture
def scripts(repo: RepoBuilder) -> RepoBuilder:
    source = {
        "name": "weights",
        "url": "https://localhost/w",
        "size": 102_491_894,
        "sha256": "a" * 64,
        "when": ["_full"],
    }
    repo.script(
        "model",
        cache=True,
        sources=[source, {"name": "labels", "when": ["_full"]}],
        variations={"full": {"group": "tier"}, "small": {"group": "tier", "default": True}},
    )
    repo.script(
        "probe", outputs={"CM_P": {"type": "str"}}, customize="def preprocess(i):\n    i['env']['CM_P'] = '1'\n"
    )
    repo.script("late")
    repo.script(
        "top",
        deps=[
            {"tags": "model"},
            {"tags": "probe", "why": "the rest hangs on it"},
            {"tags": "model"},
            {"tags": "late", "enable_if_env": {"CM_P": ["1"]}},
            {"tags": "late", "enable_if_env": {"CM_NO": ["1"]}},
        ],
    )
    return repo


def test_the_tree(bench: Bench, scripts: RepoBuilder):
    assert lines(bench, "top") == [
        "+ top",
        "  + model _small  [to make: never made before]",
        "  + probe  [because the rest hangs on it]",
        "  + model _small  [to make: never made before]",
        "  ? late  [decided when known: CM_P from probe (enable_if_env CM_P=1)]",
        "",
        "3 steps: 0 cached, 3 to run; nothing known to download; 1 decided on the way",
    ]


def test_downloads_are_named_with_their_size(bench: Bench, scripts: RepoBuilder):
    tree, _, summary = lines(bench, "model,_full")
    assert "downloads weights 102.5 MB; downloads labels of unknown size" in tree
    assert "102.5 MB to download" in summary


def test_what_is_cached_and_times_from_earlier_runs(bench: Bench, scripts: RepoBuilder):
    bench.run("top")
    engine = bench.engine()
    engine.history.add("probe", 2.5)
    engine.history.add("probe", 2.5)
    engine.history.add("probe", 2.5)
    shown = list(plan_lines(engine.plan(Request("top")), engine.history))
    assert shown[1] == "  = model _small  [cached]"
    assert shown[2] == "  + probe  [about 2.5 s; because the rest hangs on it]"
    assert shown[-1].startswith("3 steps: 1 cached, 2 to run; nothing known to download; about 2.5 s by earlier runs")


def test_a_repeated_subtree_is_only_named(bench: Bench, repo: RepoBuilder):
    repo.script("low")
    repo.script("middle", deps=[{"tags": "low"}])
    repo.script("top", deps=[{"tags": "middle"}, {"tags": "middle"}])
    assert lines(bench, "top")[:4] == ["+ top", "  + middle", "    + low", "  · middle  (above)"]


def test_a_choice_among_several_is_explained(bench: Bench, repo: RepoBuilder):
    repo.script("a", tags="x", sort=1)
    repo.script("b", tags="x", sort=2)
    assert lines(bench, "x")[0] == "+ a  [first of 2 by its sort key 1]"


def test_data(bench: Bench, scripts: RepoBuilder):
    engine = bench.engine()
    plan = engine.plan(Request("top"))
    data = json.loads(json.dumps(plan_data(plan, engine.history)))
    assert data["request"] == "top"
    assert data["root"] == data["steps"][-1]["id"] == plan.root.id
    model, probe, top = data["steps"]
    assert (model["script"], model["why_not_cached"], model["variations"]) == (
        "model",
        "never made before",
        {"small": "default of group tier"},
    )
    assert probe["estimated_seconds"] is None
    assert [(n["query"], n["wanted"], n["waits_on"]) for n in top["needs"]][-2:] == [
        ("late", None, ["CM_P"]),
        ("late", False, []),
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (102_491_894, "102.5 MB"), (6_400_000_000, "6.4 GB")],
)
def test_sizes(size: int, text: str):
    assert megabytes(size) == text


def test_durations():
    assert (seconds(0.04), seconds(89), seconds(300)) == ("0.0 s", "89.0 s", "5 min")
