"""Anything may be in a manifest, a request or the environment: there is an answer or a diagnosis, and no damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzzing import Playground, explore
from tests.manifests import environments, queries, repositories
from tests.workbench import Bench, RepoBuilder, uid_of

from cm4bench import CMBenchError
from cm4bench.catalog import SetAside
from cm4bench.query import parse_query
from cm4bench.tools.lintrepo import duplicates
from cm4bench.tools.lintunit import Unit
from cm4bench.versions import VersionRange, compare


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(raws=repositories, tags=queries, env=environments)
def test_manifests_requests_and_values(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, raws: Any, tags: str, env: Any
):
    folder = tmp_path_factory.mktemp("fuzz")
    monkeypatch.chdir(folder)
    Playground(folder)(raws, tags, env)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert explore(tmp_path, 10_000, start=1) == []


@given(st.text())
def test_any_query(text: str):
    try:
        parse_query(text)
    except CMBenchError as error:
        assert "both asked for and excluded" in error.cause


@given(st.text(), st.text())
def test_any_versions(left: str, right: str):
    assert compare(left, right) == -compare(right, left)
    VersionRange(exact=left).admits(right)


def test_a_version_of_ten_thousand_digits():
    """Python refuses to read numbers that long."""
    long = "9" * 10_000
    assert compare(long, long + "0") == -1


# -- files that are small and mean


def faults(bench: Bench) -> tuple[SetAside, ...]:
    """What is set aside, while the healthy neighbour still runs."""
    assert bench.run("good").ran == ("good",)
    return bench.engine().catalog.set_aside


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("_cm.yaml", "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"b{n}: &b{n} [{','.join([f'*{alias}'] * 10)}]\n"
            for n, alias in enumerate(["a", *(f"b{k}" for k in range(8))])
        ), "unfolds to more than"),
        ("_cm.yaml", "a: &a [*a]\n", "contain themselves"),
        ("_cm.yaml", "a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("_cm.json", "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("_cm.json", '{"a": ' + "9" * 5000 + "}", "broken JSON"),
        ("_cm.yaml", "a: " + "9" * 5000, "broken YAML"),
        ("_cm.yaml", "a: 2024-13-77\n", "broken YAML"),
        ("_cm.yaml", "alias: !!python/object/apply:os.system ['touch canary']\n", "broken YAML"),
        ("_cm.yaml", "", "must be a mapping"),
        ("_cm.yaml", "- a\n", "must be a mapping"),
        ("_cm.yaml", "\0", "broken YAML"),
        ("_cm.yaml", "alias: odd\nuid: 0123456701234567\n", "uid must stand in quotes"),
        ("_cm.yaml", "alias: odd\nuid: 1234567890123456\n", "uid must stand in quotes"),
        ("_cm.yaml", "alias: odd\nnew_env_keys: [5]\n", "must be the name of a key"),
        ("_cm.yaml", f"alias: odd\n_base: {'x' * 300}\n", "is no script of a registered repository"),
    ],
)  # fmt: skip
def test_a_mean_manifest(bench: Bench, repo: RepoBuilder, tmp_path: Path, name: str, text: str, problem: str):
    repo.script("good")
    (repo.folder("odd") / name).write_text(text)
    [fault] = faults(bench)
    assert fault.path.name == "odd"
    assert problem in fault.cause
    assert len(fault.cause) < 1000
    assert not list(tmp_path.rglob("canary"))


def test_a_manifest_that_is_no_text(bench: Bench, repo: RepoBuilder):
    repo.script("good")
    (repo.folder("odd") / "_cm.yaml").write_bytes(b"\xff\xfe\x00alias")
    [fault] = faults(bench)
    assert "cannot be read" in fault.cause


# -- names that do not name one thing


def test_dependencies_that_lead_nowhere_or_in_a_circle(bench: Bench, repo: RepoBuilder):
    repo.script("dangling", deps=[{"tags": "nothing,like,this"}])
    repo.script("self", deps=[{"tags": "self"}])
    for number in range(4):
        repo.script(f"ring{number}", post_deps=[{"tags": f"ring{(number + 1) % 4}"}], cache=True)
    for tags, words in (("dangling", "no script has"), ("self", "self → self"), ("ring0", "never end")):
        for act in (bench.plan, bench.run):
            with pytest.raises(CMBenchError, match=words) as caught:
                act(tags)
            assert caught.value.chain[0] == tags
            assert len(caught.value.render().splitlines()) <= 24


def test_two_scripts_of_one_uid_and_one_alias(bench: Bench, repo: RepoBuilder):
    """Each is still reached by its tags and keeps its own entry; lint names the clash."""
    for name in ("first", "second"):
        folder = repo.script(name, tags=f"tag-{name}", cache=True, env={"CM_N": name}, new_env_keys=["CM_N"])
        text = (folder / "_cm.yaml").read_text().replace(uid_of(name), "'00000000000000aa'")
        (folder / "_cm.yaml").write_text(text.replace(f"alias: {name}", "alias: same"))
    for _ in range(2):
        assert [bench.run(f"tag-{n}").outcome.new_env["CM_N"] for n in ("first", "second")] == ["first", "second"]
    assert len(bench.entries()) == 2
    found = [finding.text for finding in duplicates(Unit(repo.folder(n), repo.value) for n in ("first", "second"))]
    assert any("00000000000000aa" in text for text in found)
    assert any("same" in text for text in found)


def test_thousands_of_variations(bench: Bench, repo: RepoBuilder):
    """In groups, with bases, combinations and a chain of defaults a thousand long."""
    chain = {f"c{n}": {"base": [f"c{n + 1}"]} for n in range(1000)} | {"c1000": {"env": {"CM_END": "yes"}}}
    groups = {f"g{n}": {"group": f"group{n % 50}", **({"default": True} if n < 50 else {})} for n in range(3000)}
    combos = {f"c{n},c{n + 1}": {"env": {f"CM_C{n}": "1"}} for n in range(0, 20, 2)}
    repo.script("many", variations={**chain, **groups, **combos}, new_env_keys=["CM_END", "CM_C*"])
    given = bench.run("many,_c0,_g2999").outcome.new_env
    assert given["CM_END"] == "yes"
    assert len(given) == 11
