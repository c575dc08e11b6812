"""Anything may be in a manifest, a request or the environment: there is an answer or a diagnosis, and no damage."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.manifests import ALIASES, environments, queries, repositories, write_repository
from tests.seal import sealing

from cm4bench import CMBenchError, Engine, Repo, Request

QUICK = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
LONG = settings(QUICK, max_examples=10_000)


class Playground:
    """A folder in which each example gets its own repository and home, and nothing else may appear."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()

    def __call__(self, raws: list[Mapping[str, Any]], tags: str, env: Mapping[str, Any]) -> None:
        room = self.folder / f"{next(self._numbers)}"
        write_repository(room / "repo", raws)
        (room / "work").mkdir()
        os.chdir(room / "work")
        with sealing():
            for request in (tags, *ALIASES[: len(raws)], "one,_fast", "get,_n.8"):
                for strict in (False, True):
                    self._ask(room, Request(request, env=env), strict)
        self._check(room)
        os.chdir(self.folder)
        shutil.rmtree(room)

    def _ask(self, room: Path, request: Request, strict: bool) -> None:
        engine = Engine([Repo("repo", room / "repo", strict=strict)], room / "CM")
        for act in (engine.plan, engine.run):
            try:
                act(request)
            except CMBenchError as error:
                screen = error.render()
                assert screen.startswith("error: ")
                assert "Traceback" not in screen

    def _check(self, room: Path) -> None:
        assert {p.name for p in room.iterdir()} <= {"repo", "work", "CM"}
        assert {p.name for p in self.folder.iterdir()} == {room.name}
        assert not any(p.name == "canary" for p in room.rglob("*"))
        allowed = {"_cm.json"}
        assert {p.name for p in (room / "repo").rglob("*") if p.is_file()} == allowed


@pytest.fixture
def playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)
    return Playground(tmp_path)


@QUICK
@given(raws=repositories, tags=queries, env=environments)
def test_manifests_queries_and_values(playground: Playground, raws, tags, env):
    playground(raws, tags, env)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@LONG
@given(raws=repositories, tags=queries, env=environments)
def test_ten_thousand_manifests_queries_and_values(playground: Playground, raws, tags, env):
    playground(raws, tags, env)
