"""Kills at random moments, crowds on one store, odd file systems and clocks. benchmarks/reliability.py has the rest."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.reliability import STEPS, Room, crowd, kill
from tests.workbench import ROOT, Bench, RepoBuilder

MAKES = "echo content > made.txt; echo CM_MADE=$PWD/made.txt >> tmp-run-env.out"
OUTPUTS = {"CM_MADE": {"type": "file"}}


def test_kills_at_random_moments(tmp_path: Path):
    finding = kill(tmp_path, 12, random.Random(5))
    assert finding.faults == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path: Path):
    finding = kill(tmp_path, 200, random.Random(1))
    assert finding.faults == []


def test_eight_processes_on_one_store(tmp_path: Path):
    assert crowd(tmp_path, 8).faults == []


def test_the_checks_see_what_they_look_for(tmp_path: Path):
    """A store that was tampered with is not called clean."""
    room = Room(tmp_path / "room").furnish(steps=3)
    room.start().communicate()
    assert (list(room.faults()), room.leftovers()) == ([], [])
    entry = next((tmp_path / "room" / "CM").rglob("whole.txt"))
    entry.write_text("1 2")
    assert "does not have the content it had" in next(room.faults())
    (entry.parent / "_cm.json").unlink()
    assert room.leftovers() == [entry.parent]
    assert sum(room.started().values()) == 3 < STEPS


# -- where the store lies


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another device."""
    for base in (Path("/dev/shm"), Path("/run"), Path("/var/tmp")):
        if base.is_dir() and os.access(base, os.W_OK) and base.stat().st_dev != tmp_path.stat().st_dev:
            folder = Path(tempfile.mkdtemp(prefix="cm4bench-test-", dir=base))
            yield folder
            shutil.rmtree(folder)
            return
    pytest.skip("this machine has no second device to write to")


@pytest.mark.parametrize("part", ["CM", "CM/repos", "CM/repos/local/cache", "CM/cm4bench"])
def test_a_store_on_another_device(bench: Bench, repo: RepoBuilder, tmp_path: Path, elsewhere: Path, part: str):
    """The home, or any part of it, behind a link to another file system."""
    link = tmp_path / part
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    repo.script("maker", cache=True, run=MAKES, outputs=OUTPUTS)
    repo.script("top", deps=[{"tags": "maker"}])
    assert bench.run("top").made == ("maker",)
    assert bench.run("top").made == ()
    assert bench.run("maker", renew=True).made == ("maker",)
    assert any(elsewhere.iterdir())


READ_ONLY = """
import os, sys
sys.path.insert(0, {package!r})
from pathlib import Path
from cm4bench import CMBenchError, Engine, Repo, Request
os.chdir({work!r})
for tags in ("top", "other"):
    try:
        print(tags, *Engine([Repo("repo", Path({repo!r}))], Path({home!r})).run(Request(tags)).made)
    except CMBenchError as error:
        print(tags, type(error).__name__, error.cause)
"""


def test_a_read_only_store(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    """What is there is reused; what is missing is refused with the reason."""
    repo.script("maker", cache=True, run=MAKES, outputs=OUTPUTS)
    repo.script("top", deps=[{"tags": "maker"}])
    repo.script("other", cache=True, run=MAKES)
    bench.run("top")
    paths = {"package": ROOT / "automation/script", "work": tmp_path / "work", "repo": repo.path, "home": bench.home}
    code = READ_ONLY.format(**{name: str(path) for name, path in paths.items()})
    mount = f'mount --bind "{bench.home}" "{bench.home}" && mount -o remount,ro,bind "{bench.home}" && exec "$@"'
    space = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if not shutil.which("unshare") or subprocess.run([*space, "true"], capture_output=True).returncode:
        pytest.skip("this host lets nobody mount a folder read-only")
    done = subprocess.run([*space, sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    reused, refused = done.stdout.splitlines()
    assert reused == "top"
    assert refused.startswith("other StoreError the cache cannot be written: Read-only file system")


# -- the clock


@pytest.mark.parametrize("years", [-30, -1, 1, 30])
def test_a_clock_that_was_wrong(bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch, years: int):
    """Made under one clock, reused under the other, and made anew exactly where something changed."""
    now = time.time
    folder = repo.script("maker", cache=True, run=MAKES, outputs=OUTPUTS)
    monkeypatch.setattr(time, "time", lambda: now() + years * 365 * 86400)
    assert bench.run("maker").made == ("maker",)
    monkeypatch.setattr(time, "time", now)
    assert bench.run("maker").made == ()
    (folder / "run.sh").write_text(f"{MAKES}\n")
    moment = now() + years * 365 * 86400
    os.utime(folder / "run.sh", (moment, moment))
    assert bench.run("maker").made == ("maker",)
    assert bench.run("maker").made == ()


@pytest.mark.parametrize("years", [-30, 30])
def test_leftovers_from_another_time(bench: Bench, repo: RepoBuilder, years: int):
    """An unfinished folder of the past or the future is swept away, whatever its date."""
    repo.script("maker", cache=True, run=MAKES, outputs=OUTPUTS)
    debris = bench.home / "repos" / "local" / "cache" / "0123456789abcdef"
    debris.mkdir(parents=True)
    moment = time.time() + years * 365 * 86400
    os.utime(debris, (moment, moment))
    bench.run("maker")
    assert bench.debris() == []
