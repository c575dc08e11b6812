"""The boundary to cmind: dictionaries in, dictionaries and codes out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import adapter
from cm4bench.errors import CMBenchError
from cm4bench.versions import VersionRange


@pytest.fixture
def automation(bench: Bench, repo: RepoBuilder) -> SimpleNamespace:
    """As much of cmind as the adapter asks of it."""
    meta = {"alias": "repo", "uid": "0" * 16}
    listed = [SimpleNamespace(path=str(repo.path), meta=meta)]
    return SimpleNamespace(
        cmind=SimpleNamespace(repos=SimpleNamespace(lst=listed), repos_path=str(bench.home), output="con")
    )


def test_a_command_line_as_a_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    request = adapter.request_from(
        {
            **{"action": "run", "automation": "script", "artifact": "get model _v", "tags": "raw", "out": "con"},
            **{"env": {"CM_A": "1"}, "state": {"s": 1}, "const": {"CM_C": "2"}, "quiet": "yes", "verbose": True},
            **{"adr": {"a": {"tags": "x"}}, "add_deps_recursive": {"b": {}}, "ad": {"c": {}}, "add_deps": {"d": {}}},
            **{"version_min": "1", "new": True, "batch_size": "8", "outdirname": "/out", "path": "/tools"},
        }
    )
    assert request.tags == "get model _v,raw"
    assert {"batch_size": "8"}.items() <= dict(request.options).items()
    assert not {"action", "env", "quiet", "version_min", "new"} & set(request.options)
    assert dict(request.env) == {
        **{"CM_A": "1", "CM_QUIET": "yes", "CM_VERBOSE": "yes", "CM_OUTDIRNAME": "/out", "CM_TMP_PATH": "/tools"},
        "CM_TMP_CURRENT_PATH": str(tmp_path),
    }
    assert (dict(request.state), dict(request.const)) == ({"s": 1}, {"CM_C": "2"})
    assert (set(request.adr), set(request.ad)) == ({"a", "b"}, {"c", "d"})
    assert (request.version, request.renew, request.verbose) == (VersionRange(minimum="1"), True, True)


def test_words_after_the_first_are_tags_too():
    assert adapter.request_from({"artifact": "a b", "artifacts": ["_v _w"]}).tags == "a b,_v _w"


def test_proxies_come_from_outside(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", "http://localhost:1")
    assert adapter.request_from({"tags": "a"}).env["https_proxy"] == "http://localhost:1"


def test_repositories_of_cmind(automation: SimpleNamespace, bench: Bench):
    automation.cmind.repos.lst.append(
        SimpleNamespace(path="/x", meta={"alias": "x", "prefix": "p", "cm4bench": {"strict": "yes"}})
    )
    engine = adapter.engine_for(automation)
    assert [(r.alias, r.strict, r.prefix) for r in engine.repos] == [("repo", False, ""), ("x", True, "p")]
    assert engine.home == bench.home


def test_a_run_answers_as_cm_does(automation: SimpleNamespace, repo: RepoBuilder):
    repo.script("leaf", env={"CM_L": "1"}, new_env_keys=["CM_L"])
    repo.script(
        "top", deps=[{"tags": "leaf"}, {"tags": "leaf", "enable_if_env": {"CM_NO": ["yes"]}}], new_env_keys=["CM_L"]
    )
    result = adapter.guarded(automation, {"tags": "top"}, adapter.run_action)
    assert result["return"] == 0
    assert (result["new_env"], result["new_state"], result["deps"]) == ({"CM_L": "1"}, {}, ["leaf"])
    assert {"env", "state"} <= set(result)


def test_a_plan_answers_with_data(automation: SimpleNamespace, repo: RepoBuilder, capsys: pytest.CaptureFixture[str]):
    repo.script("top")
    result = adapter.guarded(automation, {"tags": "top"}, adapter.plan_action)
    assert result["plan"]["summary"].startswith("1 steps")
    assert capsys.readouterr().out == ""
    adapter.guarded(automation, {"tags": "top", "plan": True, "out": "con"}, adapter.run_action)
    assert capsys.readouterr().out.startswith("+ top")
    adapter.guarded(automation, {"tags": "top", "plan": "json", "out": "con"}, adapter.run_action)
    assert json.loads(capsys.readouterr().out)["request"] == "top"


def test_an_error_is_printed_once_and_returned(automation: SimpleNamespace, capsys: pytest.CaptureFixture[str]):
    result = adapter.guarded(automation, {"tags": "nosuch", "out": "con"}, adapter.run_action)
    shown = capsys.readouterr().err
    assert result["return"] == 1
    assert shown.strip() == result["error"]
    assert result["cm4bench"]["cause"] == "no script has the tag 'nosuch'"
    assert automation.cmind.output == "shown"


def test_a_program_gets_the_error_without_print(automation: SimpleNamespace, capsys: pytest.CaptureFixture[str]):
    assert adapter.guarded(automation, {"tags": "nosuch"}, adapter.run_action)["return"] == 1
    assert capsys.readouterr() == ("", "")


def test_debug_lets_errors_through(automation: SimpleNamespace):
    with pytest.raises(CMBenchError):
        adapter.guarded(automation, {"tags": "nosuch", "debug": True}, adapter.run_action)


def test_an_error_of_the_operating_system_is_no_traceback(automation: SimpleNamespace):
    def refused(*_: object) -> dict:
        raise PermissionError(13, "Permission denied", "/some/file")

    result = adapter.guarded(automation, {}, refused)
    assert result["return"] == 1
    assert result["cm4bench"]["cause"] == "Permission denied: /some/file"
    with pytest.raises(PermissionError):
        adapter.guarded(automation, {"debug": True}, refused)


def test_an_interruption(automation: SimpleNamespace):
    def interrupted(*_: object) -> dict:
        raise KeyboardInterrupt

    result = adapter.guarded(automation, {}, interrupted)
    assert result["return"] == 130
    assert "finished steps are kept" in result["error"]


def test_what_a_script_prints_stays_out_of_json(
    automation: SimpleNamespace, repo: RepoBuilder, capfd: pytest.CaptureFixture[str]
):
    repo.script(
        "loud", run="echo noise", customize="def preprocess(i):\n    print('python noise')\n", env={"CM_A": "1"}
    )
    adapter.guarded(automation, {"tags": "loud", "out": "con", "j": True}, adapter.run_action)
    out, err = capfd.readouterr()
    assert json.loads(out)["return"] == 0
    assert "noise" in err
