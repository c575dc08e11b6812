"""What a script needs of the host: judged while planning, before anything runs."""

from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import CMBenchError, Request
from cm4bench.errors import Conflict
from cm4bench.facts import Facts
from cm4bench.requirements import Requirement, first_unmet, read_requirements, refuse_unmet


@pytest.mark.parametrize(
    ("requirement", "met"),
    [
        (Requirement("os", ("debian", "ubuntu")), True),
        (Requirement("os", ("alpine",)), False),
        (Requirement("driver", at_least="9.0"), True),
        (Requirement("driver", at_least="12.1"), False),
        (Requirement("unread", ("x",)), True),
    ],
)
def test_meeting(requirement: Requirement, met: bool):
    assert requirement.met({"os": "debian", "driver": "11.10"}) is met


def test_reading():
    block = {"requires": [{"fact": "os", "is": "debian", "why": "apt"}, {"fact": "gpus", "at_least": 2, "hint": "buy"}]}
    assert read_requirements(block, "get-x") == [
        Requirement("os", ("debian",), why="apt", by="get-x"),
        Requirement("gpus", at_least="2", hint="buy", by="get-x"),
    ]
    assert read_requirements({}, "get-x") == []


def test_the_first_unmet_one_is_told():
    needs = [Requirement("a", ("1",)), Requirement("b", ("1", "2"), why="of c", by="get-x")]
    assert first_unmet(needs, {"a": "1", "b": "1"}) is None
    with pytest.raises(Conflict) as caught:
        refuse_unmet(needs, {"a": "1", "b": "3"})
    assert caught.value.cause == "get-x needs b 1 or 2; this host has 3 (of c)"
    assert caught.value.hint == "--assume.b=1 plans as if it had"


def test_a_plan_is_refused_and_an_assumed_host_is_planned_for(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    repo.script("first", run=f"touch {tmp_path}/ran")
    repo.script("gpu", variations={"cuda": {"requires": [{"fact": "accelerator", "is": "cuda"}]}})
    repo.script("top", deps=[{"tags": "first"}, {"tags": "gpu,_cuda"}])
    bare = bench.engine(facts=Facts("x", {"accelerator": "cpu"}))
    with pytest.raises(CMBenchError, match="needs accelerator cuda; this host has cpu") as caught:
        bare.run(Request("top"))
    assert caught.value.chain[0] == "top"
    assert not (tmp_path / "ran").exists()
    assumed = Request("top", assume={"accelerator": "cuda"})
    assert [s.script.alias for s in bare.plan(assumed).steps()] == ["first", "gpu", "top"]
    with pytest.raises(CMBenchError, match="for planning only"):
        bare.run(assumed)
    assert bare.plan(Request("gpu")).root.script.alias == "gpu"
