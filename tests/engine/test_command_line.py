"""The engine behind the real `cmr` of cmind: exit codes, one screen on errors, no traceback, clean JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine, RepoBuilder

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> RepoBuilder:
    """A strict repository of scripts that work, and of some that do not."""
    repo = RepoBuilder(tmp_path_factory.mktemp("cli") / "trials", strict=True)
    repo.script(
        "greeter",
        tags="greet,someone",
        name="Greets",
        cache=True,
        run='echo hello $CM_WHOM; echo "CM_GREETING=hello $CM_WHOM" >> tmp-run-env.out',
        inputs={"whom": {"env": "CM_WHOM", "default": "world", "help": "who is greeted"}},
        outputs={"CM_GREETING": {"type": "str", "help": "what was said"}},
        variations={"loud": {"group": "voice"}, "soft": {"group": "voice", "default": True}},
    )
    repo.script("failing", tags="try,failing", run="echo the reason; exit 7")
    repo.script("above", tags="try,above", deps=[{"tags": "try,failing"}])
    repo.script("raising", tags="try,raising", customize="def preprocess(i):\n    return i['nothing']\n")
    return repo


@pytest.fixture(scope="module")
def cli(scripts: RepoBuilder, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    command = CommandLine(tmp_path_factory.mktemp("home"))
    for path in (ROOT, scripts.path):
        done = command("cm", "add", "repo", f"--path={path}")
        assert done.returncode == 0, done.stderr
    (scripts.folder("broken") / "_cm.yaml").write_text("alias: broken\ntags: [try, broken\n")
    return command


def screen(done: Done, *, code: int) -> str:
    """What an error shows, after the checks that hold for every error."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "CM error" not in done.stderr
    shown = done.stderr.strip()
    assert shown.startswith("error: ")
    assert shown.count("error: ") == 1
    assert len(shown.splitlines()) <= 24
    assert "next: " in shown or "full log: " in shown
    return shown


def test_a_run_and_a_second_run(cli: CommandLine):
    first = cli("cmr", "greet someone", "--whom=there")
    assert first.returncode == 0, first.stderr
    assert "hello there" in first.stdout
    assert "CM_GREETING: hello there" in first.stdout
    assert "1 cached step made: greeter _soft" in first.stdout
    again = cli("cmr", "--tags=greet,someone", "--whom=there")
    assert "every cached step was reused" in again.stdout


def test_quiet(cli: CommandLine):
    done = cli("cmr", "greet someone", "--whom=quiet", "--quiet")
    assert "cached step" not in done.stdout


def test_a_plan(cli: CommandLine):
    done = cli("cmr", "greet someone _loud", "--plan")
    assert done.returncode == 0, done.stderr
    assert "+ greeter _loud" in done.stdout
    assert "1 steps: 0 cached, 1 to run" in done.stdout
    assert "hello" not in done.stdout.replace("hello-world", "")


def test_a_plan_as_data_is_pure_json(cli: CommandLine):
    done = cli("cm", "plan", "script", "greet someone", "-j")
    [step] = json.loads(done.stdout)["steps"]
    assert (step["script"], step["variations"]) == ("greeter", {"soft": "default of group voice"})
    assert len(step["id"]) == 32


def test_a_result_as_data_is_pure_json(cli: CommandLine):
    done = cli("cmr", "greet someone", "-j", "--whom=json")
    assert json.loads(done.stdout)["new_env"] == {"CM_GREETING": "hello json"}


def test_help(cli: CommandLine):
    done = cli("cmr", "greet someone", "--help")
    assert "--whom=STR (default world)  who is greeted" in done.stdout
    assert "voice: _loud _soft*" in done.stdout


def test_an_unknown_tag(cli: CommandLine):
    shown = screen(cli("cmr", "greet someon"), code=1)
    assert "did you mean 'someone'" in shown


def test_an_unknown_variation(cli: CommandLine):
    shown = screen(cli("cmr", "greet someone _lowd"), code=16)
    assert "did you mean 'loud'" in shown
    assert "--help" in shown


def test_contradictory_variations(cli: CommandLine):
    assert "only one variation of group 'voice'" in screen(cli("cmr", "greet someone _loud _soft"), code=1)


def test_a_mistyped_flag(cli: CommandLine):
    assert "has no option --whon (did you mean 'whom'" in screen(cli("cmr", "greet someone", "--whon=x"), code=1)


def test_a_broken_manifest_beside_working_ones(cli: CommandLine):
    shown = screen(cli("cmr", "try broken"), code=1)
    assert "script/broken/_cm.yaml:3: broken YAML" in shown
    assert cli("cmr", "greet someone", "--whom=broken").returncode == 0


def test_a_native_failure_shows_the_way_the_log_and_the_last_lines(cli: CommandLine):
    shown = screen(cli("cmr", "try above"), code=2)
    assert "failing/run.sh ended with exit code 7" in shown
    assert "  above\n    └ failing" in shown
    assert "  | the reason" in shown
    log = Path(shown.partition("full log: ")[2].splitlines()[0])
    assert "the reason" in log.read_text()


def test_a_raising_hook(cli: CommandLine, scripts: RepoBuilder):
    shown = screen(cli("cmr", "try raising"), code=1)
    assert f"raised KeyError: 'nothing' ({scripts.folder('raising')}/customize.py:2)" in shown


def test_a_traceback_only_with_debug(cli: CommandLine):
    done = cli("cmr", "try raising", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_no_script_named(cli: CommandLine):
    assert "no script was named" in screen(cli("cmr"), code=1)


def test_the_error_as_data(cli: CommandLine, tmp_path: Path):
    done = cli("cmr", "try above", f"--save_to_json={tmp_path / 'out.json'}")
    assert done.returncode == 2
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["return"] == 2
    assert data["cm4bench"]["cause"] == "failing/run.sh ended with exit code 7"
    assert data["cm4bench"]["chain"] == ["above", "failing"]
