"""Resolution: deterministic, pure, the same in plan and run; each distinct step once, dependencies first."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError, Conflict
from cm4bench.plan import Plan

Graph = list[tuple[frozenset[int], bool]]


@st.composite
def graphs(draw: st.DrawFn, *, cached: bool | None = None) -> Graph:
    """Node k may depend on nodes below k; the last node is the request."""
    size = draw(st.integers(2, 6))
    nodes = []
    for number in range(size):
        below = draw(st.frozensets(st.integers(0, number - 1), max_size=3)) if number else frozenset()
        nodes.append((below, draw(st.booleans()) if cached is None else cached))
    return nodes


class World:
    """A random graph of scripts as a repository; each run of a script adds its number to `log`."""

    def __init__(self, folder: Path, graph: Graph) -> None:
        self.repo = RepoBuilder(folder / "repo")
        self.log = folder / "log"
        self.graph = graph
        self.bench = Bench(folder / "CM", self.repo.value)
        for number, (below, cached) in enumerate(graph):
            self.repo.script(
                f"n{number}",
                cache=cached,
                deps=[{"tags": f"n{k}"} for k in sorted(below)],
                outputs={f"CM_N{number}": {"type": "str"}},
                customize=self.code(number),
            )

    def code(self, number: int) -> str:
        reads = " + ".join(["'1'", *(f"env['CM_N{k}']" for k in sorted(self.graph[number][0]))])
        return (
            "def preprocess(i):\n    env = i['env']\n"
            f"    open({str(self.log)!r}, 'a').write('{number} ')\n"
            f"    env['CM_N{number}'] = {reads}\n    return {{'return': 0}}\n"
        )

    @property
    def request(self) -> str:
        return f"n{len(self.graph) - 1}"

    def executed(self) -> list[int]:
        """Numbers in order of execution since the last look."""
        numbers = [int(n) for n in self.log.read_text().split()] if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return numbers

    def below(self, number: int) -> set[int]:
        direct = self.graph[number][0]
        return set(direct).union(*(self.below(k) for k in direct))

    def reachable(self) -> set[int]:
        return {len(self.graph) - 1} | self.below(len(self.graph) - 1)

    def value(self, number: int) -> str:
        return "1" + "".join(self.value(k) for k in sorted(self.graph[number][0]))


@pytest.fixture
def quiet_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def numbers(plan: Plan) -> list[int]:
    return [int(step.script.alias[1:]) for step in plan.steps()]


@FEW
@given(graphs())
def test_a_plan_is_deterministic_and_ordered(quiet_folder: None, graph: Graph):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), graph)
        first, second = world.bench.plan(world.request), world.bench.plan(world.request)
        order = numbers(first)
        assert [s.id for s in first.steps()] == [s.id for s in second.steps()]
        assert sorted(order) == sorted(world.reachable())
        assert len({s.id for s in first.steps()}) == len(order)
        for number in order:
            assert all(order.index(k) < order.index(number) for k in graph[number][0])
        assert world.executed() == []


@FEW
@given(graphs())
def test_a_run_does_what_the_plan_says_once(quiet_folder: None, graph: Graph):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), graph)
        planned = world.bench.plan(world.request)
        report = world.bench.run(world.request)
        last = len(graph) - 1
        assert world.executed() == numbers(planned)
        assert report.outcome.new_env == {f"CM_N{last}": world.value(last)}
        made = {entry.id for entry in world.bench.engine().store.entries()}
        assert made == {step.id for step in planned.steps() if step.caches}
        world.bench.run(world.request)
        assert not {k for k in world.executed() if graph[k][1]}


@FEW
@given(graphs(cached=True), st.data())
def test_an_edit_renews_the_step_and_its_dependents(quiet_folder: None, graph: Graph, data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), graph)
        world.bench.run(world.request)
        world.executed()
        edited = data.draw(st.integers(0, len(graph) - 1))
        file = world.repo.folder(f"n{edited}") / "customize.py"
        file.write_text(file.read_text() + "# edited\n")
        stale = {k for k in world.reachable() if k == edited or edited in world.below(k)}
        assert {int(s.script.alias[1:]) for s in world.bench.plan(world.request).to_run()} == stale
        world.bench.run(world.request)
        again = world.executed()
        assert sorted(again) == sorted(stale)
        world.bench.run(world.request)
        assert world.executed() == []


def test_a_diamond_of_seventeen_runs_seventeen(bench: Bench, repo: RepoBuilder):
    """Sixteen layers of which each needs the one below twice, along two paths."""
    repo.script("s0", run="echo x >> ../count", outputs={"CM_S0": {"type": "str"}}, env={"CM_S0": "1"})
    for k in range(1, 17):
        need = [{"tags": f"s{k - 1}"}, {"tags": f"s{max(0, k - 2)}"}]
        repo.script(f"s{k}", deps=need, env={f"CM_S{k}": "1"}, new_env_keys=[f"CM_S{k}"])
    plan = bench.plan("s16")
    assert len(plan.steps()) == 17
    report = bench.run("s16")
    assert len(report.ran) == len(set(report.ran)) == 17
    assert Path("../count").read_text() == "x\n"


# -- identity


def ids(bench: Bench, query: str, **request: object) -> str:
    return bench.plan(query, **request).root.id


def test_only_what_a_step_can_read_makes_it_another(bench: Bench, repo: RepoBuilder):
    repo.script("reader", cache=True, run="echo $CM_USED")
    assert ids(bench, "reader", env={"CM_UNUSED": "1"}) == ids(bench, "reader")
    assert ids(bench, "reader", env={"CM_USED": "1"}) != ids(bench, "reader")
    assert ids(bench, "reader", env={"CM_USED": "1"}) != ids(bench, "reader", env={"CM_USED": "2"})


def test_default_and_explicit_variations_are_one_step(bench: Bench, repo: RepoBuilder):
    repo.script("grouped", cache=True, variations={"a": {"group": "g", "default": True}, "b": {"group": "g"}})
    assert ids(bench, "grouped") == ids(bench, "grouped,_a")
    assert ids(bench, "grouped") != ids(bench, "grouped,_b")


def test_a_plain_request_does_not_get_the_entry_of_a_variation(bench: Bench, repo: RepoBuilder):
    blocks = {
        "a": {"group": "g", "default": True, "env": {"CM_G": "a"}},
        "b": {"group": "g", "env": {"CM_G": "b"}},
    }
    repo.script("grouped", cache=True, variations=blocks, new_env_keys=["CM_G"])
    assert bench.run("grouped,_b").outcome.new_env == {"CM_G": "b"}
    assert bench.run("grouped").outcome.new_env == {"CM_G": "a"}


def test_a_version_is_part_of_the_identity(bench: Bench, repo: RepoBuilder):
    from cm4bench.versions import VersionRange

    repo.script("tool", cache=True, default_version="1")
    assert ids(bench, "tool", version=VersionRange("1")) == ids(bench, "tool")
    assert ids(bench, "tool", version=VersionRange("2")) != ids(bench, "tool")


def test_the_same_step_along_two_ways_is_one(bench: Bench, repo: RepoBuilder):
    """A value made further up, which the shared step cannot read, does not split it."""
    repo.script("shared", cache=True, run="echo x >> ../../../../../count; echo $CM_S")
    repo.script("left", deps=[{"tags": "shared"}], env={"CM_L": "1"}, new_env_keys=["CM_L"])
    repo.script("right", deps=[{"tags": "left"}, {"tags": "shared"}])
    assert len(bench.plan("right").steps()) == 3
    assert bench.run("right").made == ("shared",)


# -- what only a run can tell


PROBE = """
import os

def preprocess(i):
    i["env"]["CM_FOUND"] = os.environ["PROBE"]
    return {"return": 0}
"""


def decider(repo: RepoBuilder, *, cache: bool = False) -> None:
    repo.script(
        "probe",
        customize=PROBE,
        outputs={"CM_FOUND": {"type": "str"}},
    )
    repo.script("extra", env={"CM_EXTRA": "1"}, new_env_keys=["CM_EXTRA"])
    repo.script(
        "asker",
        cache=cache,
        deps=[{"tags": "probe"}, {"tags": "extra", "enable_if_env": {"CM_FOUND": ["yes"]}}],
        new_env_keys=["CM_EXTRA"],
    )


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize(("found", "taken"), [("yes", True), ("no", False)])
def test_an_unknown_is_settled_as_if_known_from_the_start(
    bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch, cache: bool, found: str, taken: bool
):
    monkeypatch.setenv("PROBE", found)
    decider(repo, cache=cache)
    plan = bench.plan("asker")
    [(step, edge)] = plan.undecided()
    assert (step.script.alias, edge.query, edge.wanted) == ("asker", "extra", None)
    assert [(p.key, p.by) for p in edge.waits_on] == [("CM_FOUND", "probe")]
    assert ("extra" in bench.run("asker").ran) is taken

    repo.script("known", deps=[{"tags": "extra", "enable_if_env": {"CM_FOUND": ["yes"]}}])
    known = bench.plan("known", env={"CM_FOUND": found})
    assert known.undecided() == []
    assert (known.root.edges[0].wanted is True) is taken


def test_a_cached_step_with_an_undecided_branch_follows_the_value(
    bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    decider(repo, cache=True)
    given = {}
    for found in ("yes", "no", "yes"):
        monkeypatch.setenv("PROBE", found)
        given[found] = dict(bench.run("asker").outcome.new_env)
    assert given == {"yes": {"CM_EXTRA": "1"}, "no": {}}
    assert len(bench.entries()) == 2


def test_a_host_fact_decides_before_anything_runs(bench: Bench, repo: RepoBuilder):
    from cm4bench.facts import Facts

    repo.script(
        "detect",
        customize="def preprocess(i):\n    i['env']['CM_OS'] = 'real'\n    return {'return': 0}\n",
        outputs={"CM_OS": {"type": "str", "fact": "os.flavor"}},
    )
    repo.script("extra")
    repo.script("asker", deps=[{"tags": "detect"}, {"tags": "extra", "enable_if_env": {"CM_OS": ["debian"]}}])
    for flavor, wanted in (("debian", True), ("alpine", False)):
        from cm4bench import Request

        plan = bench.engine(facts=Facts("linux", {"os.flavor": flavor})).plan(Request("asker"))
        assert plan.root.edges[1].wanted is wanted


def test_tags_from_an_unknown_value_wait_for_it(bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROBE", "b")
    decider(repo)
    repo.script("leaf", variations={"v.#": {"env": {"CM_V": "#"}}}, new_env_keys=["CM_V"])
    need = {"tags": "leaf", "update_tags_from_env_with_prefix": {"_v.": ["CM_FOUND"]}}
    repo.script("tagged", deps=[{"tags": "probe"}, need], new_env_keys=["CM_V"])
    [(_, edge)] = bench.plan("tagged").undecided()
    assert "its tags need CM_FOUND" in edge.because
    assert bench.run("tagged").outcome.new_env == {"CM_V": "b"}


# -- refusals


def test_a_cycle_ends_with_a_diagnosis(bench: Bench, repo: RepoBuilder):
    repo.script("hen", deps=[{"tags": "egg"}])
    repo.script("egg", deps=[{"tags": "hen"}])
    with pytest.raises(Conflict, match="the dependencies never end: hen → egg → hen") as caught:
        bench.plan("hen")
    assert caught.value.chain == ("hen", "egg", "hen")


def test_dependencies_that_grow_for_ever(bench: Bench, repo: RepoBuilder):
    repo.script("grow", variations={"v.#": {"deps": [{"tags": "grow,_v.#1"}]}})
    with pytest.raises(Conflict, match="never end") as caught:
        bench.plan("grow,_v.1")
    assert len(caught.value.render().splitlines()) < 24


def test_a_missing_dependency_names_the_way_to_it(bench: Bench, repo: RepoBuilder):
    repo.script("top", deps=[{"tags": "middle"}])
    repo.script("middle", variations={"v": {"default": True, "group": "g"}}, deps=[{"tags": "nosuch"}])
    with pytest.raises(CMBenchError, match="no script has the tag 'nosuch'") as caught:
        bench.plan("top")
    assert caught.value.chain == ("top", "middle _v", "nosuch")


def test_an_unwanted_dependency_may_be_missing(bench: Bench, repo: RepoBuilder):
    repo.script("top", deps=[{"tags": "nosuch", "enable_if_env": {"CM_NEVER": ["yes"]}}])
    assert bench.run("top").ran == ("top",)


def test_an_undecided_dependency_may_be_missing_as_long_as_it_is_not_needed(
    bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    decider(repo)
    repo.script("top", deps=[{"tags": "probe"}, {"tags": "nosuch", "enable_if_env": {"CM_FOUND": ["yes"]}}])
    monkeypatch.setenv("PROBE", "no")
    assert bench.run("top").ran == ("probe", "top")
    monkeypatch.setenv("PROBE", "yes")
    with pytest.raises(CMBenchError, match="nosuch"):
        bench.run("top")
