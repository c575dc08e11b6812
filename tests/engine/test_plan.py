"""Plans as values: each step once, what is cached hides its inside."""

from pathlib import Path

from cm4bench.environment import Pending
from cm4bench.manifest import Repo, Script
from cm4bench.plan import Edge, Outcome, Plan, Step


def step(name: str, *edges: Edge, cached: bool = False, **changes) -> Step:
    script = Script(Path(f"/r/script/{name}"), Repo("r", Path("/r")), {"alias": name, "uid": "u", "tags": ["t", name]})
    values = {"variations": {}, "version": "", "selected_because": "the only match", "caches": True, "miss": ""}
    values |= {"outcome": Outcome(), "ingredients": {}, "edges": edges, "cached": cached} | changes
    return Step(id=name, script=script, label=name, **values)


def edge(child: Step | None, *, wanted: bool | None = True) -> Edge:
    return Edge("deps", child.id if child else "?", wanted, "", child, () if wanted else (Pending("o", "K"),))


def ids(plan: Plan) -> list[str]:
    return [s.id for s in plan.steps()]


def test_dependencies_first_and_each_once():
    shared = step("shared")
    left, right = step("left", edge(shared)), step("right", edge(shared))
    assert ids(Plan(step("top", edge(left), edge(right)))) == ["shared", "left", "right", "top"]


def test_what_is_cached_hides_its_inside():
    inner = step("middle", edge(step("low")), cached=True)
    plan = Plan(step("top", edge(inner)))
    assert ids(plan) == ["middle", "top"]
    assert [s.id for s in plan.to_run()] == ["top"]


def test_unwanted_and_undecided_ones_are_no_steps():
    plan = Plan(step("top", edge(step("no"), wanted=False), edge(step("maybe"), wanted=None)))
    assert ids(plan) == ["top"]
    assert [(s.id, e.query) for s, e in plan.undecided()] == [("top", "maybe")]


def test_cache_tags():
    made = step("a", variations={"v": "asked for"}, version="1.2", ingredients={"extra_cache_tags": ["x", "t"]})
    assert made.cache_tags == ("t", "a", "_v", "script-artifact-u", "version-1.2", "x")
