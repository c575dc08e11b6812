"""Shared helpers: small repositories of scripts, engines over them, and the real `cmr` with a private CM home."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cm4bench import Engine, Repo, Report, Request
from cm4bench.events import Event

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures"


def uid_of(name: str) -> str:
    """A stable 16 hex digit uid for a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


class RepoBuilder:
    """A repository of scripts in a folder; `value` is what the engine takes."""

    def __init__(self, path: Path, *, strict: bool = False) -> None:
        self.path = path
        self.value = Repo(path.name, path, uid_of(path.name), "", strict)
        (path / "script").mkdir(parents=True, exist_ok=True)
        meta: dict[str, Any] = {"alias": path.name, "uid": uid_of(path.name), "git": False}
        self._dump(path / "cmr.yaml", meta | ({"cm4bench": {"strict": True}} if strict else {}))

    def script(self, alias: str, /, *, customize: str = "", run: str = "", tags: str = "", **manifest: Any) -> Path:
        """Write one script: keywords are manifest keys, `customize` and `run` the texts of its files."""
        identity = {
            "alias": alias,
            "uid": uid_of(alias),
            "automation_alias": "script",
            "automation_uid": "5b4e0237da074764",
            "tags": (tags or alias).split(","),
        }
        folder = self.folder(alias)
        self._dump(folder / "_cm.yaml", identity | manifest)
        if customize:
            (folder / "customize.py").write_text(customize)
        if run:
            (folder / "run.sh").write_text(f"#!/bin/bash\n{run}\n")
        return folder

    def folder(self, name: str) -> Path:
        path = self.path / "script" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    def _dump(path: Path, data: Mapping[str, Any]) -> None:
        path.write_text(yaml.safe_dump(dict(data), sort_keys=False))


class Bench:
    """A CM home beside repositories. Every call makes a new engine, as every `cmr` does; `events` are of the last."""

    def __init__(self, home: Path, *repos: Repo) -> None:
        self.home = home
        self.repos = list(repos)
        self.events: list[Event] = []

    def engine(self, **options: Any) -> Engine:
        self.events = []
        return Engine(self.repos, self.home, listener=self.events.append, **options)

    def run(self, tags: str, **request: Any) -> Report:
        return self.engine().run(Request(tags, **request))

    def plan(self, tags: str, **request: Any) -> Any:
        return self.engine().plan(Request(tags, **request))

    def entries(self) -> list[Path]:
        """Published cache entries."""
        return sorted(p.parent for p in (self.home / "repos" / "local" / "cache").glob("*/_cm.json"))

    def debris(self) -> list[Path]:
        """Folders in the cache that are not entries."""
        return sorted(set((self.home / "repos" / "local" / "cache").glob("*")) - set(self.entries()))


class CommandLine:
    """The real `cm` and `cmr` of cmind with a private CM home."""

    def __init__(self, base: Path) -> None:
        self.home = base / "CM"
        self.cwd = base / "work"
        self.cwd.mkdir()
        self.env = {**os.environ, "CM_REPOS": str(self.home), "HOME": str(base), "PYTHONDONTWRITEBYTECODE": "1"}

    def __call__(self, command: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        tool = shutil.which(command, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert tool, f"{command} of cmind is not installed"
        return subprocess.run(
            [tool, *arguments], env={**self.env, **env}, cwd=self.cwd, capture_output=True, text=True, timeout=120
        )
