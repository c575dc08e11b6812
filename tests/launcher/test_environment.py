"""How the private environment survives interruptions, competitors, changes and poor surroundings."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import environment

from .conftest import ROOT, Clone


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)


def site_packages(clone: Clone) -> Path:
    return next((clone.home / "venv" / "lib").glob("python*/site-packages"))


def test_killed_while_making_the_environment_then_started_again(fresh: Clone):
    first = fresh.start("hello")
    wait_until((fresh.home / "venv").exists)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (fresh.home / "ready-base").exists()
    done = fresh.run("hello")
    assert done.returncode == 0, done.stderr


def test_a_half_installed_package_is_installed_again(own: Clone):
    # The state after a kill while pip unpacks: metadata there, files missing, INSTALLER not yet written.
    site = site_packages(own)
    (site / "standin_marker.py").unlink()
    (site / "standin-1.0.dist-info" / "INSTALLER").unlink()
    (own.home / "ready-base").unlink()
    done = own.run("hello")
    assert done.returncode == 0, done.stderr
    assert "installation of standin-1.0 was cut off" in done.stderr
    assert (site / "standin_marker.py").exists()


def test_an_environment_without_its_python_is_made_anew(own: Clone):
    for python in (own.home / "venv" / "bin").glob("python*"):
        python.unlink()
    assert "making a private environment" in own.run("hello").stderr
    assert own.run("hello").stderr == ""


def test_of_two_first_starts_one_installs_and_one_waits(fresh: Clone):
    both = [fresh.start("hello"), fresh.start("hello")]
    told = "".join(start.communicate(timeout=120)[1] for start in both)
    assert [start.returncode for start in both] == [0, 0], told
    assert told.count("making a private environment") == 1
    assert told.count("waiting for it") == 1


def test_a_start_waits_for_the_lock(own: Clone):
    (own.home / "ready-base").unlink()
    with (own.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = own.start("hello")
        assert start.stderr is not None
        assert "waiting for it" in start.stderr.readline()
        assert start.poll() is None
        assert not (own.home / "ready-base").exists()
    assert start.communicate(timeout=60) and start.returncode == 0


def test_the_orphan_of_a_killed_launcher_keeps_the_lock(tmp_path: Path):
    code = (
        "import environment as e; from pathlib import Path\n"
        f"home = Path({str(tmp_path)!r}); s = e.Setup(home, home, 'base', '', None, False)\n"
        "command = ['sh', '-c', 'echo $$ > pid.new; mv pid.new pid; exec sleep 60']\n"
        "with e.only_one(home) as lock: e.run(s, lock, command)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "launcher")})
    wait_until((tmp_path / "pid").exists)
    launcher.kill()
    launcher.wait()
    orphan = int((tmp_path / "pid").read_text())
    with (tmp_path / "lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(orphan, signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_a_package_that_cannot_be_had_is_reported_and_the_next_start_goes_on(own: Clone):
    (own.path / "requirements.txt").write_text("standin\nno-such-package\n")
    done = own.run("hello")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "setting up failed:" in done.stderr
    assert "no-such-package" in done.stderr
    assert f"whole log: {own.home / 'setup.log'}" in done.stderr
    assert "Traceback" not in done.stderr
    (own.path / "requirements.txt").write_text("standin\n")
    assert own.run("hello").returncode == 0


def test_a_change_of_the_pins_brings_the_environment_up_to_date(own: Clone):
    (own.path / "constraints.txt").write_text("standin==1.0\nrich==1.0\n")
    assert "bringing the private environment up to date" in own.run("hello").stderr
    assert own.run("hello").stderr == ""


def test_a_new_automation_is_indexed(own: Clone):
    shutil.copytree(own.path / "automation" / "script", own.path / "automation" / "other")
    manifest = own.path / "automation" / "other" / "_cm.yaml"
    manifest.write_text(manifest.read_text().replace("alias: script", "alias: other").replace("5b4e", "6b4e"))
    assert "registered this repository" in own.run("hello").stderr
    assert "6b4e0237da074764" in (own.home / "CM" / "index.json").read_text()


def test_only_an_explicit_wish_for_another_python_replaces_the_environment(ready: Clone, monkeypatch):
    def request(insist: bool) -> environment.Setup:
        return environment.Setup(ready.path, ready.home, "base", "", None, insist_on_python=insist)

    monkeypatch.setattr(sys, "_base_executable", str(ready.home / "venv" / "bin" / "python"))
    assert environment.reusable(request(insist=True))
    monkeypatch.setattr(sys, "_base_executable", "/another/python")
    assert environment.reusable(request(insist=False))
    assert not environment.reusable(request(insist=True))


def test_naming_the_python_already_in_use_keeps_the_environment(own: Clone):
    same = Path(own.environment["PATH"]) / "python3"
    assert "bringing the private" in own.run("hello", CM4BENCH_PYTHON=str(same)).stderr
    assert own.run("hello", CM4BENCH_PYTHON=str(same)).stderr == ""


@pytest.mark.parametrize("variables", [{}, {"CM4BENCH_PYTHON": "/no/such/python"}])
def test_no_python(fresh: Clone, variables: dict[str, str]):
    python = Path(fresh.environment["PATH"]) / "python3"
    if not variables:
        python.unlink()
    done = fresh.run("hello", **variables)
    assert done.returncode == 1
    assert "no Python 3.10 or newer found (tried: " in done.stderr
    assert "next: sudo apt install python3 python3-venv" in done.stderr
    assert not fresh.home.exists()


def write_python(path: Path, body: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_a_python_that_is_too_old_is_passed_over(fresh: Clone):
    write_python(Path(fresh.environment["PATH"]) / "python3.11", "exit 1")
    script = f'root="{fresh.path}"; . "$root/launcher/environment.sh"; find_python; echo "$python"'
    found = subprocess.run(["sh", "-c", script], env=fresh.environment, capture_output=True, text=True, check=True)
    assert found.stdout == "python3\n"


def test_a_python_without_venv_is_named_with_its_package(fresh: Clone):
    tools = Path(fresh.environment["PATH"])
    write_python(tools / "python3", "case $* in *ensurepip*) exit 1;; esac")
    done = fresh.run("hello")
    assert done.returncode == 1
    assert "python3 cannot make virtual environments" in done.stderr
    assert "sudo apt install python3-venv" in done.stderr


def test_a_home_that_cannot_be_written(fresh: Clone, tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = fresh.run("hello", CM4BENCH_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert "next: set CM4BENCH_HOME" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("driver", [True, False])
def test_torch_for_the_tests_fits_the_machine(tmp_path: Path, monkeypatch, driver: bool):
    (tmp_path / "driver").write_text("")
    monkeypatch.setattr(environment, "NVIDIA_DRIVER", [tmp_path / ("driver" if driver else "none")])
    base, test = (environment.Setup(tmp_path, tmp_path, profile, "", None, False) for profile in ["base", "test"])
    assert [step[-1] for step in environment.pip_steps(base)] == [str(tmp_path / "requirements.txt")]
    assert [step[-1] for step in environment.pip_steps(test)[:-1]] == ([] if driver else ["torch"])
