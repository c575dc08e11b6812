"""What MLCFlow added to CM's format: the `predeps` hook, combinations with a dynamic member, inherited lifetimes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.workbench import ROOT, Bench, CommandLine, RepoBuilder

from cm4bench.errors import CMBenchError


def mlc_script(repo: RepoBuilder, alias: str, **parts: Any) -> Path:
    """A script as MLCFlow has it: `meta.yaml` with `MLC_` keys."""
    folder = repo.script(alias, **parts)
    (folder / "_cm.yaml").rename(folder / "meta.yaml")
    return folder


PREDEPS = "def predeps(i):\n    i['env']['MLC_WANTED'] = 'yes'\n    i['env']['MLC_NAME'] = 'from-predeps'\n"


def scripts_with_predeps(repo: RepoBuilder, **manifest: Any) -> None:
    repo.script("dep", run='echo "CM_GOT=$CM_NAME2" >> tmp-run-env.out', new_env_keys=["CM_GOT"])
    dep = {"tags": "dep", "enable_if_env": {"MLC_WANTED": ["yes"]}, "env": {"MLC_NAME2": "<<<MLC_NAME>>>"}}
    mlc_script(repo, "top", customize=PREDEPS, deps=[dep], new_env_keys=["MLC_GOT"], **manifest)


@pytest.mark.parametrize("cache", [False, True])
def test_predeps_comes_before_the_dependencies(bench: Bench, repo: RepoBuilder, cache: bool):
    scripts_with_predeps(repo, cache=cache)
    plan = bench.plan("top")
    assert [edge.wanted for edge in plan.root.edges] == [None]
    report = bench.run("top")
    assert (report.outcome.new_env, report.requested) == ({"CM_GOT": "from-predeps"}, ("dep",))
    again = bench.run("top")
    assert again.outcome.new_env == {"CM_GOT": "from-predeps"}
    assert again.made == () and (cache is not ("top" in again.ran))


def test_predeps_may_be_switched_off(bench: Bench, repo: RepoBuilder):
    scripts_with_predeps(repo, predeps=False)
    assert bench.run("top").requested == ()


def test_a_combination_with_a_dynamic_member(bench: Bench, repo: RepoBuilder):
    variations = {"a": {}, "d.#": {"env": {"MLC_D": "#"}}, "a,d.#": {"env": {"MLC_BOTH": "a and #"}}}
    mlc_script(repo, "combos", variations=variations, new_env_keys=["MLC_D", "MLC_BOTH"])
    assert bench.run("combos,_a,_d.7").outcome.new_env == {"CM_D": "7", "CM_BOTH": "a and 7"}
    assert bench.run("combos,_d.7").outcome.new_env == {"CM_D": "7"}


def test_a_dependency_lives_as_long_as_its_parent(bench: Bench, repo: RepoBuilder):
    mlc_script(repo, "child", cache=True, run="true")
    dep = {"tags": "child", "inherit_cache_expiration": True}
    mlc_script(repo, "short", cache_expiration="0", deps=[dep])
    mlc_script(repo, "own", cache_expiration="0", deps=[{**dep, "cache_expiration": "1h"}])
    assert bench.run("short").made == bench.run("short").made == ("child",)
    assert (bench.run("own").made, bench.run("own").made) == (("child",), ())


def test_flags_in_mlcflow_names(bench: Bench, repo: RepoBuilder):
    mlc_script(repo, "named", env={"MLC_A": "1"}, new_env_keys=["MLC_A", "MLC_B"])
    manifest = yaml.safe_load((repo.path / "script/named/meta.yaml").read_text())
    assert manifest["new_env_keys"] == ["MLC_A", "MLC_B"]
    from cm4bench.adapter import request_from

    request = request_from({"tags": "named", "env": {"MLC_B": "$MLC_A"}, "const": {"MLC_A": "2"}})
    assert (request.env["CM_B"], request.const) == ("$CM_A", {"CM_A": "2"})


ACTIONS = """
def preprocess(i):
    actions = i['automation'].action_object
    actions.logger.info('called')
    answer = actions.access({'action': 'run', 'target': 'script', 'tags': 'dep', 'env': {'MLC_NAME2': 'by-access'}})
    i['env']['MLC_GOT'] = answer['new_env']['MLC_GOT']
    i['env']['MLC_REPOS_FOLDER'] = actions.repos_path
    return {'return': 0}
"""


def test_a_script_calls_others_by_the_action_object(tmp_path: Path):
    cm, repo = CommandLine(tmp_path), RepoBuilder(tmp_path / "automations")
    mlc_script(repo, "dep", run='echo "MLC_GOT=$MLC_NAME2" >> tmp-run-env.out', new_env_keys=["MLC_GOT"])
    mlc_script(repo, "calling", customize=ACTIONS, new_env_keys=["MLC_GOT", "MLC_REPOS_FOLDER"])
    (repo.path / "cmr.yaml").rename(repo.path / "meta.yaml")
    assert cm("cm", "add", "repo", f"--path={ROOT}").returncode == 0
    out = tmp_path / "answer.json"
    done = cm("cmr", "calling", f"--save_to_json={out}", CM4BENCH_REPOS=str(repo.path))
    assert done.returncode == 0, done.stderr
    expected = {"CM_GOT": "by-access", "CM_REPOS_FOLDER": str(cm.home / "repos")}
    assert json.loads(out.read_text())["new_env"] == expected


@pytest.mark.parametrize(("wanted", "fail", "runs"), [("1.3", True, True), ("9.0", False, True), ("9.0", True, False)])
def test_a_script_for_a_later_mlcflow_is_refused(bench: Bench, repo: RepoBuilder, wanted: str, fail: bool, runs: bool):
    entry = {"min_version": wanted, "message": "needs the new hook", "fail": fail}
    mlc_script(repo, "later", mlc_compat=[entry])
    if runs:
        assert bench.run("later").outcome.new_env == {}
        return
    with pytest.raises(CMBenchError, match=r"is for MLCFlow 9.0 and later.*: needs the new hook"):
        bench.run("later")


def test_hooks_see_and_set_constants(bench: Bench, repo: RepoBuilder):
    code = (
        "def postprocess(i):\n    i['const']['MLC_V'] = i['const']['MLC_GIVEN'] + '1'\n    i['env']['MLC_V'] = 'lost'\n"
    )
    mlc_script(repo, "constant", customize=code, const={"MLC_GIVEN": "g"}, new_env_keys=["MLC_V"])
    assert bench.run("constant").outcome.new_env == {"CM_V": "g1"}


def test_state_keys_are_translated_as_well(bench: Bench, repo: RepoBuilder):
    code = "def preprocess(i):\n    i['state']['MLC_A'] = {'MLC_INNER': 1}\n"
    run = """echo '{"MLC_B": [1]}' > tmp-run-state.json; grep -q MLC_A tmp-state.json"""
    mlc_script(repo, "stateful", customize=code, run=run, new_state_keys=["MLC_*"])
    reads = "def preprocess(i):\n    i['state']['MLC_C'] = i['state']['MLC_A']['MLC_INNER']\n"
    mlc_script(repo, "reader", customize=reads, deps=[{"tags": "stateful"}], new_state_keys=["MLC_*"])
    expected = {"CM_A": {"MLC_INNER": 1}, "CM_B": [1]}
    assert bench.run("stateful").outcome.new_state == expected
    assert bench.run("reader").outcome.new_state == {**expected, "CM_C": 1}
