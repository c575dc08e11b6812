"""Made-up repositories and requests, given to the engine; shared by the tests and by benchmarks/reliability.py."""

from __future__ import annotations

import itertools
import os
import shutil
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.manifests import ALIASES, environments, queries, repositories, write_repository
from tests.seal import sealing

from cm4bench import CMBenchError, Engine, Repo, Request

__all__ = ["Playground", "explore"]

Raw = Mapping[str, Any]


class Playground:
    """A folder in which each example gets its own repository and home, and nothing else may appear."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()

    def __call__(self, raws: Sequence[Raw], tags: str, env: Raw) -> None:
        """Plan and run what can be asked of these manifests; raises what is neither an answer nor a diagnosis."""
        room = self.folder / f"{next(self._numbers)}"
        try:
            write_repository(room / "repo", list(raws))
            (room / "work").mkdir()
            os.chdir(room / "work")
            with sealing():
                for request in (tags, *ALIASES[: len(raws)], "one,_fast", "get,_n.8"):
                    for strict in (False, True):
                        self._ask(room, Request(request, env=env), strict)
            self._check(room)
        finally:
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
        assert {p.name for p in (room / "repo").rglob("*") if p.is_file()} == {"_cm.json"}


def explore(folder: Path, examples: int, start: int) -> list[str]:
    """Try so many examples; what went wrong, each kind once."""
    os.chdir(folder)
    playground = Playground(folder)
    faults: dict[str, None] = {}

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(raws=repositories, tags=queries, env=environments)
    def attempt(raws: list[Raw], tags: str, env: Raw) -> None:
        try:
            playground(raws, tags, env)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            faults[f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"[:300]] = None

    attempt()
    os.chdir("/")
    return list(faults)
