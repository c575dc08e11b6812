"""What a start of ./cmr does for its user."""

import json
import os
import re
from pathlib import Path

import pytest

from .conftest import Clone, echoed, write_repository


def test_first_start_makes_the_environment_and_says_so_on_stderr_only(first_start):
    clone, done = first_start
    assert done.returncode == 0, done.stderr
    assert "making a private environment (once)" in done.stderr
    assert re.search(r"ready in \d+ s: .*, \d+ MB on disk", done.stderr)
    assert "registered this repository" in done.stderr
    assert echoed(done)["module"] == str(clone.path / "automation/script/module.py")


def test_later_starts_say_nothing(ready: Clone):
    done = ready.run("hello world")
    assert done.returncode == 0
    assert done.stderr == ""


def test_later_starts_run_no_python_before_cmind(ready: Clone):
    # Without any Python to be found, only a start that needs none but the environment's own can succeed.
    (tools := Path(ready.environment["HOME"]).parent / "no-python").mkdir(exist_ok=True)
    for tool in Path(ready.environment["PATH"]).iterdir():
        if not tool.name.startswith("python") and not (tools / tool.name).exists():
            (tools / tool.name).symlink_to(tool)
    assert ready.run("hello world", PATH=str(tools)).returncode == 0


def test_arguments_arrive_unchanged(ready: Clone):
    arguments = ["run mlperf inference", '--note=it\'s "so" $HOME `id` \\', "--env.CM_X=a  b", "--empty=", "--glob=*"]
    assert echoed(ready.run(*arguments))["cmd"] == arguments


def test_exit_code_is_handed_on(ready: Clone):
    assert ready.run("hello world", "--code=7").returncode == 7


def test_it_runs_where_the_user_stands(ready: Clone, tmp_path: Path):
    assert echoed(ready.run("hello world", cwd=tmp_path))["cwd"] == str(tmp_path)


@pytest.mark.parametrize("relative", [True, False])
def test_symbolic_links_lead_to_the_repository(ready: Clone, tmp_path: Path, relative: bool):
    (tmp_path / "bin").mkdir()
    link, second = tmp_path / "bin" / "bench", tmp_path / "again"
    link.symlink_to(os.path.relpath(ready.path / "cmr", link.parent) if relative else ready.path / "cmr")
    second.symlink_to("bin/bench")
    assert echoed(ready.run("hello", launcher=second))["module"].startswith(str(ready.path))


def test_cm_is_the_general_command(ready: Clone, tmp_path: Path):
    (tmp_path / "bench").symlink_to(ready.path / "cm")
    for launcher in ["cm", tmp_path / "bench"]:
        assert echoed(ready.run("plan", "script", launcher=launcher)) == {"planned": True}


def test_the_users_own_cm_home_is_left_alone(ready: Clone):
    assert not (Path(ready.environment["HOME"]) / "CM").exists()
    assert echoed(ready.run("hello"))["CM_REPOS"] == str(ready.home / "CM")


def test_cm_repos_is_honoured_and_our_repository_comes_first_there(ready: Clone, tmp_path: Path):
    other, cm_home = tmp_path / "other", tmp_path / "my CM"
    write_repository(other, uid="aaaabbbbccccdddd", alias="other")
    cm_home.mkdir()
    (cm_home / "repos.json").write_text(json.dumps([str(other)]))
    done = ready.run("hello", CM_REPOS=str(cm_home))
    assert echoed(done)["module"].startswith(str(ready.path)), done.stderr
    assert json.loads((cm_home / "repos.json").read_text()) == [str(ready.path), str(other)]
    assert ready.run("hello", CM_REPOS=str(cm_home)).stderr == ""


def test_another_copy_in_the_users_cm_home_is_not_pushed_out(ready: Clone, tmp_path: Path):
    twin, cm_home = tmp_path / "twin", tmp_path / "CM"
    write_repository(twin, uid="c4be0c1d2f7a4e63", alias="cm4bench")
    cm_home.mkdir()
    (cm_home / "repos.json").write_text(json.dumps([str(twin)]))
    done = ready.run("hello", CM_REPOS=str(cm_home))
    assert done.returncode != 0
    assert f"another copy is registered there: {twin}" in done.stderr
    assert "next: unset CM_REPOS" in done.stderr
    assert json.loads((cm_home / "repos.json").read_text()) == [str(twin)]


def test_a_moved_repository_runs_from_its_new_place(own: Clone):
    moved = Clone(own.path.rename(own.path.with_name("elsewhere")), own.environment)
    assert echoed(moved.run("hello"))["module"].startswith(str(moved.path))
    assert json.loads((moved.home / "CM" / "repos.json").read_text()) == [str(moved.path)]


def test_the_environment_can_live_elsewhere(own: Clone, tmp_path: Path):
    own.home.rename(tmp_path / "some where")
    done = own.run("hello", cwd=tmp_path, CM4BENCH_HOME="some where")
    assert echoed(done)["CM_REPOS"] == str(tmp_path / "some where" / "CM")
    assert not own.home.exists()
