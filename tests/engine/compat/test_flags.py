"""CM's flags around a run, as typed on the command line; choosing between scripts; CM's words for containers."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.workbench import ROOT, Bench, CommandLine, RepoBuilder

from cm4bench.catalog import Selection
from cm4bench.compat import choices, scriptactions
from cm4bench.engine import Request


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    repo = RepoBuilder(tmp_path_factory.mktemp("flags") / "flags")
    repo.script("low", run="echo CM_LOW=$CM_TOP >> tmp-run-env.out", new_env_keys=["CM_LOW"], default_version="1.2")
    repo.script("top", tags="top,one", deps=[{"tags": "low"}], run="echo ran $CM_LOW", env={"CM_TOP": "a b"})
    command = CommandLine(tmp_path_factory.mktemp("home"))
    for path in (ROOT, repo.path):
        assert command("cm", "add", "repo", f"--path={path}").returncode == 0
    return command


def test_a_readme_names_every_step(cli: CommandLine):
    assert cli("cmr", "top one", "--print_readme").returncode == 0
    text = (cli.cwd / "README-cm.md").read_text()
    assert re.findall(r"`(cmr .*)`", text) == ["cmr --tags=low", "cmr --tags=top,one"]
    assert "| low | 1.2 |" in text


def test_versions_time_and_space_are_said(cli: CommandLine):
    done = cli("cmr", "top one", "--print_versions", "--time", "--space", "--pause")
    assert done.returncode == 0, done.stderr
    assert "low: 1.2\n" in done.stdout
    assert re.search(r"running time: [\d.]+ s\ndisk space used: [\d.]+ MB\n", done.stdout)


@pytest.mark.parametrize(("flag", "kept"), [("--debug_script", "echo ran"), ("--debug_script_tags=low", "CM_LOW=")])
def test_the_native_part_is_kept_to_run_without_cm(cli: CommandLine, flag: str, kept: str):
    done = cli("cmr", "top one", flag)
    assert done.returncode == 0, done.stderr
    path = cli.cwd / "tmp-run-without-cm.sh"
    assert f"to run it without cm: bash {path}" in done.stderr
    text = path.read_text()
    path.unlink()
    assert 'export CM_TOP="a b"' in text
    assert kept in Path(text.splitlines()[-1].split()[1]).read_text()


def two_scripts(repo: RepoBuilder) -> None:
    repo.script("first", tags="do,it", new_env_keys=["CM_BY"], env={"CM_BY": "first"}, name="The first")
    repo.script("second", tags="do,it", new_env_keys=["CM_BY"], env={"CM_BY": "second"})
    repo.script("above", tags="above", deps=[{"tags": "do,it"}, {"tags": "do,it"}], new_env_keys=["CM_BY"])


def test_the_user_chooses_between_scripts_once(bench: Bench, repo: RepoBuilder):
    two_scripts(repo)
    engine, asked = bench.engine(), []

    def choose(selection: Selection, request: str) -> int:
        asked.append(request)
        return 1

    engine.choose = choose
    report = engine.run(Request("above"))
    assert (report.outcome.new_env, asked) == ({"CM_BY": "second"}, ["do,it"])
    assert report.plan.steps()[0].selected_because == "chosen of 2"


def test_without_a_user_the_first_is_taken(bench: Bench, repo: RepoBuilder, capsys: pytest.CaptureFixture[str]):
    two_scripts(repo)
    assert bench.run("above").outcome.new_env == {"CM_BY": "first"}
    selection = bench.engine().catalog.select(bench.engine().query("do,it"))
    assert choices.choose_script(selection, "do,it") == 0
    assert capsys.readouterr().err == ""


def test_cms_words_for_containers(cli: CommandLine):
    out = cli.home.parent / "answer.json"
    done = cli("cm", "dockerfile", "script", "top one", f"--save_to_json={out}")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^FROM .*@sha256:[0-9a-f]{64}$", json.loads(out.read_text())["dockerfile"], re.MULTILINE)
    refused = cli("cm", "dockerfile", "script", "top one", "--docker_base_image=ubuntu:22.04")
    assert refused.returncode and "pinned" in refused.stderr
    refused = cli("cm", "docker", "script", "top one", "--docker_skip_run_cmd")
    assert refused.returncode and "--output" in refused.stderr


def test_gui_opens_the_form_of_the_script(monkeypatch: pytest.MonkeyPatch, cli: CommandLine):
    asked: list[dict[str, object]] = []
    engine = SimpleNamespace(find_script=lambda tags: None)
    automation = SimpleNamespace(cmind=SimpleNamespace(access=lambda i: asked.append(i) or {"return": 0}))
    monkeypatch.setattr(scriptactions, "engine_for", lambda _: engine)
    typed = {"action": "gui", "automation": "script", "artifact": "top one", "port": "0", "out": "con"}

    assert scriptactions.gui(automation, typed) == {"return": 0}
    call = {"action": "run", "automation": "script", "tags": "gui", "script": "top one", "port": "0", "out": "con"}
    assert asked == [call]
    refused = cli("cm", "gui", "script", "bottom one")
    assert refused.returncode != 0
    assert "no script has the tag" in refused.stdout + refused.stderr
