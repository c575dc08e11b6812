"""A small world: a repository of scripts, a stand-in for the engine's own repository, and capsules made of both."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import Request
from cm4bench.container.capsule import Made, make_capsule
from cm4bench.container.standalone import start
from cm4bench.container.standalone.index import index_digest
from cm4bench.container.wheels import LeftOut

MAKE_DATA = """
import os
from pathlib import Path

def preprocess(i):
    here = Path.cwd()
    (here / 'data').mkdir()
    (here / 'data' / 'numbers.txt').write_text('1 2 3')
    (here / 'list.txt').write_text(str(here / 'data' / 'numbers.txt'))
    i['env']['CM_DATA'] = str(here / 'data')
    i['env']['CM_LIST'] = str(here / 'list.txt')
    return {'return': 0}
"""


@pytest.fixture
def launcher(tmp_path: Path) -> RepoBuilder:
    """What stands for a clone of cm4bench: files of the names that capsules and images need."""
    repo = RepoBuilder(tmp_path / "cm4bench")
    (repo.path / "launcher").mkdir()
    (repo.path / "launcher" / "environment.py").write_text("")
    (repo.path / "requirements.txt").write_text("cmind\n")
    (repo.path / "constraints.txt").write_text("cmind==4.2.0\n")
    for name in ("cm", "cmr"):
        (repo.path / name).write_text('#!/bin/sh\necho "request: $*"\nenv\n')
        (repo.path / name).chmod(0o755)
    return repo


@pytest.fixture
def world(bench: Bench, repo: RepoBuilder, launcher: RepoBuilder) -> Bench:
    """An engine over both, with a script that makes data, one that uses it, and one that finds a tool of the host."""
    repo.script(
        "make-data",
        tags="make,data",
        cache=True,
        customize=MAKE_DATA,
        outputs={"CM_DATA": {"type": "dir"}, "CM_LIST": {"type": "file"}},
    )
    repo.script(
        "find-tool",
        tags="find,tool",
        cache=True,
        customize=f"def preprocess(i):\n    i['env']['CM_TOOL'] = {sys.executable!r}\n    return {{'return': 0}}\n",
        outputs={"CM_TOOL": {"type": "file"}},
    )
    repo.script(
        "use-data",
        tags="use,data",
        deps=[{"tags": "make,data"}, {"tags": "find,tool"}],
        run='cat "$(cat "$CM_LIST")"',
        input_mapping={"file": "CM_GIVEN_FILE", "results_dir": "CM_RESULTS", "api_key": "CM_API_KEY"},
    )
    bench.repos = [launcher.value, *bench.repos]
    return bench


def no_wheels(python: str, arguments: Sequence[Sequence[str]], folder: Path, limit: int | None):
    """Stands for pip where a test is not about packages."""
    (folder / "cmind-4.2.0-py3-none-any.whl").write_bytes(b"a wheel")
    return sorted(folder.glob("*.whl")), [LeftOut("torch-2.13.0.whl", 10**9)] if limit == 1 << 20 else []


class CapsuleMaker:
    """Makes capsules of the world; `made` tells of the last."""

    def __init__(self, world: Bench, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.made: Made | None = None

    def __call__(self, tags: str = "use data", limit: int | None = None, **request: object) -> Path:
        self.folder.mkdir()
        asked = Request(tags, **request)
        self.made = make_capsule(self.world.engine, asked, self.folder, limit, no_wheels)
        return self.folder


@pytest.fixture
def capsule(world: Bench, tmp_path: Path) -> CapsuleMaker:
    return CapsuleMaker(world, tmp_path / "capsule")


@pytest.fixture
def started(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Run a capsule with the stand-in launcher, which prints how it was called; returns what it printed."""

    def run(folder: Path, *arguments: str, home: str = "home") -> str:
        status = start.run(folder, tmp_path / home, arguments)
        assert status == 0
        return capfd.readouterr().out

    return run


def rewrite(folder: Path, **changes: object) -> None:
    """Change a capsule's index, with a digest that fits."""
    path = folder / "capsule.json"
    index = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({**index, "sha256": index_digest(index)}))


def sh(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=280, **options)
