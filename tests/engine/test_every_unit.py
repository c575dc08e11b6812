"""Every script of ours, alone and with each of its variations, planned on every kind of host; cheap ones run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.hosts import HOSTS, Host
from tests.seal import sealing
from tests.workbench import ROOT, Bench, RepoBuilder

from cm4bench import Engine, Repo
from cm4bench.catalog import Catalog
from cm4bench.deplists import DEP_LISTS
from cm4bench.errors import Conflict
from cm4bench.frame import Call
from cm4bench.manifest import Script
from cm4bench.plan import Step
from cm4bench.query import parse_query
from cm4bench.resolver import Resolver

OURS = Repo("cm4bench", ROOT, strict=True)
VALUES = {"batch_size": "8", "package": "msgspec", "like": "efficientnet-lite0", "model": "efficientnet-lite0"}
TRAINED = {**VALUES, "model": "resnet", "dataset": "digits"}
# a GPU is asked for by these and by nothing else
NEED_CUDA = {f"{name},_cuda" for name in ("app-mlperf-inference", "run-mlperf-inference")} | {
    f"{name},_cuda" for name in ("app-mlperf-training", "run-mlperf-training", "run-mlperf-lite")
}
# the default data set of the default model has no such tier; both names are in the refusal
NEED_ANOTHER_DATASET = {
    "get-mlperf-training-task-hpc,_full",
    "get-mlperf-training-task-image-classification,_airbench",
    "get-mlperf-training-task-image-segmentation,_full",
    "get-mlperf-training-task-medical-segmentation,_full",
    "get-mlperf-training-task-object-detection,_full",
    "get-mlperf-training-task-object-detection,_synthetic",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """One catalogue for all hosts."""
    return Engine([OURS], tmp_path_factory.mktemp("every") / "CM")


@cache
def requests(engine: Engine) -> dict[str, str]:
    """Every unit, alone and with each variation or combination that its manifest names, and its alias."""
    return {
        ",".join([script.alias, *(f"_{filled(v, values_of(script))}" for v in names)]): script.alias
        for script in engine.catalog
        for names in [(), *(key.split(",") for key in script.variations)]
    }


def values_of(script: Script) -> dict[str, str]:
    """What stands for the user's words; a model that is trained is another one than a model that is measured."""
    return TRAINED if {"training", "mlperf-lite"} & set(script.tags) else VALUES


def filled(variation: str, values: dict[str, str]) -> str:
    name, dot, rest = variation.partition(".")
    return f"{name}.{values.get(name, 'x')}" if dot and rest == "#" else variation


def no_store(step: Step) -> tuple[None, str]:
    return None, "never made before"


class Planner:
    """Plans on one host: each request from scratch, or (`shared`) all by one resolver that remembers."""

    def __init__(self, engine: Engine, host: Host, *, shared: bool = False) -> None:
        self.engine = engine
        self.host = host
        self._resolver = self._new() if shared else None

    def __call__(self, tags: str) -> Step:
        resolver = self._resolver or self._new()
        return resolver.resolve(Call(self.engine.query(tags)))

    def _new(self) -> Resolver:
        return Resolver(self.engine.catalog, self.engine.recipes, self.host.facts, no_store)

    def identities(self, every: Iterable[str]) -> dict[str, str | Conflict]:
        """The identity of each request's step, or its refusal; any other exception is a failure of the test."""
        return {tags: self._identity(tags) for tags in every}

    def _identity(self, tags: str) -> str | Conflict:
        try:
            return self(tags).id
        except Conflict as refusal:
            return refusal


@pytest.fixture(params=HOSTS, ids=str)
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Host:
    chosen = HOSTS[request.param]
    for name in ("getuid", "geteuid"):
        monkeypatch.setattr(os, name, lambda: chosen.user)
    return chosen


# -- plans


def test_every_unit_on_every_host(engine: Engine, host: Host, sealed: None, tmp_path: Path):
    """Sealed, so that each host is also one without a network. Who is refused is what the manifests ask for."""
    found = Planner(engine, host, shared=True).identities(requests(engine))
    refusals = {tags: refusal for tags, refusal in found.items() if isinstance(refusal, Conflict)}
    assert set(refusals) == NEED_ANOTHER_DATASET | (set() if host.has_cuda else NEED_CUDA)
    for tags, refusal in refusals.items():
        check_refusal(refusal) if tags in NEED_CUDA else check_combination(refusal)
    # neither the home nor what was planned before decides what a step is; each third is asked again here
    third = list(requests(engine))[list(HOSTS.values()).index(host) % 3 :: 3]
    again = Planner(Engine([OURS], tmp_path / "elsewhere"), host, shared=True).identities(reversed(third))
    assert {tags: str(found[tags]) for tags in third} == {tags: str(again[tags]) for tags in third}


def test_planning_all_at_once_is_planning_each_alone(engine: Engine):
    host, some = HOSTS["linux-x86"], list(requests(engine))[::3]
    alone, together = (Planner(engine, host, shared=shared).identities(some) for shared in (False, True))
    assert {k: str(v) for k, v in alone.items()} == {k: str(v) for k, v in together.items()}


def check_refusal(refusal: Conflict) -> None:
    """What was needed, what this host has, who wanted it, what to do."""
    assert "needs accelerator cuda; this host has cpu" in refusal.cause
    assert refusal.hint
    assert "_cuda" in refusal.chain[-1]
    assert len(refusal.render().splitlines()) <= 24


def check_combination(refusal: Conflict) -> None:
    """Which two do not go together, and where each came from."""
    assert "do not work together" in refusal.cause
    assert "default of" in refusal.render() or "'s default" in refusal.render()


def test_the_host_is_part_of_the_identity(engine: Engine):
    """What was made on one kind of machine is not offered on another; who plans makes no difference."""
    tags = "get,dataset,imagenet,val,_synthetic"
    found = {name: Planner(engine, host)(tags).id for name, host in HOSTS.items()}
    assert found["root"] == found["linux-x86"]
    assert len({found[name] for name in ("linux-x86", "linux-aarch64", "macos", "windows")}) == 4


# -- queries


def test_every_dependency_names_one_script(engine: Engine):
    wrong = {}
    for script in engine.catalog:
        for tags in dependency_tags(script):
            matching = engine.catalog.find(parse_query(tags))
            if len(matching) != 1:
                wrong[f"{script.alias}: {tags}"] = [match.alias for match in matching]
    assert wrong == {}


def dependency_tags(script: Script) -> Iterator[str]:
    """Queries of all blocks of a manifest, without the words that only a value completes."""
    blocks = [script.raw, *script.variations.values(), *(script.raw.get("versions") or {}).values()]
    deps = [dep for block in blocks for name in DEP_LISTS for dep in (block or {}).get(name) or ()]
    for dep in deps:
        words = [w for w in dep["tags"].split(",") if "<<<" not in w and "#" not in w]
        prefixed = (dep.get("update_tags_from_env_with_prefix") or {}).get("_") or ()
        # here the model's name decides which of several scripts is meant
        words += [f"_{values_of(script)['model']}"] if {"CM_MODEL", "CM_MLPERF_MODEL_LIKE"} & set(prefixed) else []
        yield ",".join(words)


def test_every_planned_step_was_the_only_choice(engine: Engine):
    planner = Planner(engine, HOSTS["cuda-12"], shared=True)
    planned = set(requests(engine)) - NEED_ANOTHER_DATASET
    chosen = {(s.label, s.selected_because) for tags in planned for s in inside(planner(tags))}
    assert {(label, why) for label, why in chosen if why != "the only match"} == set()


def inside(step: Step) -> list[Step]:
    """A step and all it depends on, whether sure or not."""
    found = {step.id: step}
    stack = [step]
    while stack:
        children = [edge.step for edge in stack.pop().edges if edge.step is not None]
        stack += [child for child in children if child.id not in found]
        found |= {child.id: child for child in children}
    return list(found.values())


# -- an edited recipe


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our scripts in another folder, to be edited."""
    folder = tmp_path_factory.mktemp("copied")
    shutil.copytree(ROOT / "script", folder / "repo" / "script", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("edited", sorted(p.parent.name for p in (ROOT / "script").glob("*/_cm.yaml")))
def test_an_edit_changes_its_dependents_and_nothing_else(copied: Path, edited: str):
    before = steps_before(copied)
    note = copied / "repo" / "script" / edited / "edited.txt"
    note.write_text("edited")
    try:
        after = all_steps(copied)
    finally:
        note.unlink()
    touched = {label for label, step in before.items() if edited in {s.script.alias for s in inside(step)}}
    assert touched
    assert {label for label in before if before[label].id != after[label].id} == touched


@cache
def steps_before(folder: Path) -> dict[str, Step]:
    return all_steps(folder)


def all_steps(folder: Path) -> dict[str, Step]:
    engine = Engine([Repo("copied", folder / "repo", strict=True)], folder / "CM")
    planner = Planner(engine, HOSTS["cuda-12"], shared=True)
    steps = {script.alias: planner(script.alias) for script in engine.catalog}
    engine.recipes.save()
    return steps


# -- runs


@pytest.mark.parametrize(
    "tags", ["detect,os", "get,python3", "generate,user-conf,mlperf,inference", "get,generic-sys-util,_xz"]
)
def test_a_cheap_unit_runs_twice_to_the_same_end(
    tags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path / "CM", OURS)
    first = bench.run(tags)
    request.getfixturevalue("sealed")
    second = bench.run(tags)
    assert second.made == ()
    assert dict(second.outcome.new_env) == dict(first.outcome.new_env)


def test_a_real_edit_runs_its_dependents_again(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two synthetic images: made with two packages, by a Python, and without any look at the processor."""
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path / "CM", Repo("copied", copied / "repo", strict=True))
    tags = "get,dataset,imagenet,val,_size.2"
    assert made(bench, tags) == ["get-dataset-imagenet-val", "get-generic-python-lib", "get-generic-python-lib"]
    for edited, again in (
        ("detect-cpu", []),
        ("get-dataset-imagenet-val", ["get-dataset-imagenet-val"]),
        ("get-generic-python-lib", ["get-dataset-imagenet-val", "get-generic-python-lib", "get-generic-python-lib"]),
    ):
        note = copied / "repo" / "script" / edited / "edited.txt"
        note.write_text("edited")
        assert made(bench, tags) == again
        note.unlink()
    assert made(bench, tags) == []  # the entries of before the edits are still there


def made(bench: Bench, tags: str) -> list[str]:
    return sorted(label.split()[0] for label in bench.run(tags).made)


Graph = Mapping[int, list[int]]
GRAPHS = st.integers(2, 7).flatmap(
    lambda n: st.fixed_dictionaries(
        {k: st.lists(st.integers(0, k - 1), unique=True, max_size=3) if k else st.just([]) for k in range(n)}
    )
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=GRAPHS, data=st.data())
def test_any_repository_reruns_exactly_the_dependents(
    graph: Graph,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
):
    """Natives started: all of them at first, none the second time, after an edit the edited one and what needs it."""
    folder = tmp_path_factory.mktemp("graph")
    repo = RepoBuilder(folder / "repo")
    for number, deps in graph.items():
        run = f"echo {number} >> {folder}/count; echo CM_S{number}=$PWD >> tmp-run-env.out"
        outputs = {f"CM_S{number}": {"type": "dir"}}
        repo.script(f"s{number}", cache=True, deps=[{"tags": f"s{d}"} for d in deps], run=run, outputs=outputs)
    repo.script("top", deps=[{"tags": f"s{number}"} for number in graph])
    bench = Bench(folder / "CM", repo.value)
    assert started(bench, folder) == set(graph)
    with sealing():
        assert bench.run("top").made == ()
    edited = data.draw(st.sampled_from(sorted(graph)))
    (repo.folder(f"s{edited}") / "note.txt").write_text("edited")
    assert started(bench, folder) == dependents(graph, edited)


def started(bench: Bench, folder: Path) -> set[int]:
    count = folder / "count"
    count.write_text("")
    here = Path.cwd()
    os.chdir(folder)
    try:
        bench.run("top")
    finally:
        os.chdir(here)
    return {int(line) for line in count.read_text().split()}


def dependents(graph: Graph, changed: int) -> set[int]:
    found = {changed}
    while more := {number for number, deps in graph.items() if found & set(deps)} - found:
        found |= more
    return found


def test_the_catalogue_is_whole(engine: Engine):
    """Nothing was set aside, so that the tests above have seen all there is."""
    assert engine.catalog.set_aside == ()
    assert isinstance(engine.catalog, Catalog)
    assert {script.path.name for script in engine.catalog} == {p.parent.name for p in ROOT.glob("script/*/_cm.yaml")}
