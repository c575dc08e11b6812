"""The engine as a library."""

import pytest
from tests.workbench import Bench, RepoBuilder, uid_of

import cm4bench
from cm4bench import CMBenchError, Request


def test_public_names():
    for name in cm4bench.__all__:
        assert getattr(cm4bench, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = cm4bench.Nothing


def test_by_tags_alias_or_uid(bench: Bench, repo: RepoBuilder):
    repo.script("my-script", tags="a,b", variations={"v": {}})
    for request in ("a,b", "a b", "my-script", uid_of("my-script")):
        assert bench.run(request).ran == ("my-script",)
    assert bench.run("my-script,_v").ran == ("my-script _v",)
    assert bench.engine().find_script("a b").alias == "my-script"


def test_a_tag_wins_over_an_alias(bench: Bench, repo: RepoBuilder):
    repo.script("one", tags="x")
    repo.script("two", tags="one")
    assert bench.run("one").ran == ("two",)


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_asked_for(bench: Bench, text: str):
    with pytest.raises(CMBenchError, match="no script was named"):
        bench.run(text)


def test_a_failed_plan_runs_nothing(bench: Bench, repo: RepoBuilder):
    repo.script("first", run="touch ../ran")
    repo.script("top", deps=[{"tags": "first"}, {"tags": "nosuch"}])
    with pytest.raises(CMBenchError):
        bench.run("top")
    assert not (bench.home.parent / "ran").exists()
    assert bench.events == []


def test_times_are_remembered(bench: Bench, repo: RepoBuilder):
    repo.script("slow", run="sleep 0.06")
    assert bench.engine().history.estimate("slow") is None
    bench.run("slow")
    assert (bench.engine().history.estimate("slow") or 0) >= 0.06


def test_the_report(bench: Bench, repo: RepoBuilder):
    repo.script("leaf", cache=True, env={"CM_L": "1"}, new_env_keys=["CM_L"])
    repo.script("top", deps=[{"tags": "leaf"}], new_env_keys=["CM_L"], new_state_keys=["s"])
    report = bench.run("top", state={"s": 1})
    assert (report.ran, report.made) == (("leaf", "top"), ("leaf",))
    assert report.outcome.new_env == {"CM_L": "1"}
    assert report.outcome.new_state == report.state == {"s": 1}
    assert report.plan.root.label == "top"


def test_constants_of_the_request(bench: Bench, repo: RepoBuilder):
    repo.script("leaf", env={"CM_A": "leaf"}, new_env_keys=["CM_A"])
    repo.script("top", deps=[{"tags": "leaf"}], new_env_keys=["CM_A"])
    assert bench.run("top", const={"CM_A": "const"}).outcome.new_env == {"CM_A": "const"}


def test_one_engine_answers_several_requests(bench: Bench, repo: RepoBuilder):
    repo.script("kept", cache=True, run="true")
    engine = bench.engine()
    assert engine.run(Request("kept")).made == ("kept",)
    assert engine.run(Request("kept")).made == ()
    assert engine.plan(Request("kept")).root.cached
