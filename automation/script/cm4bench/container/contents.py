"""The files of a repository of scripts that somebody elsewhere needs: no caches, no tests, nothing that git ignores."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import CMBenchError
from ..manifest import Repo
from ..plan import Plan

__all__ = ["engine_repository", "involved_repositories", "repository_files"]

_NOT_NEEDED = {"tests", "docs", "benchmarks", "cache", "experiment-results", "cm4bench-results", "results"}
_LAUNCHER = Path("launcher/environment.py")


def repository_files(root: Path) -> list[Path]:
    """Relative paths, sorted. In a git clone what git tracks or would track; elsewhere all but hidden and made ones."""
    listed = _git_files(root) if (root / ".git").exists() else None
    paths = _walk(root) if listed is None else listed
    return sorted(p for p in paths if p.parts[0] not in _NOT_NEEDED and (root / p).is_file())


def _git_files(root: Path) -> list[Path] | None:
    import subprocess

    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    return [Path(name) for name in names] if done.returncode == 0 else None


def _walk(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        top = Path(place) == root
        folders[:] = [n for n in folders if n[0] != "." and n != "__pycache__" and not (top and n in _NOT_NEEDED)]
        for name in names:
            if name[0] != "." and not name.endswith(".pyc"):
                yield (Path(place) / name).relative_to(root)


def engine_repository(repos: Sequence[Repo]) -> Repo:
    """The repository that brings this engine and its launcher.

    Raises:
        CMBenchError: cm4bench was installed without its repository.
    """
    for repo in repos:
        if (repo.path / _LAUNCHER).is_file():
            return repo
    raise CMBenchError(
        "none of the registered repositories is a clone of cm4bench: there is no launcher to take along",
        hint="cm add repo --path=FOLDER of a clone, then run again",
    )


def involved_repositories(plan: Plan, repos: Sequence[Repo]) -> list[Repo]:
    """The engine's repository first, then each other with a step in the plan."""
    engine, used = engine_repository(repos), {step.script.repo for step in plan.all_steps(supposed=True)}
    return [engine, *(repo for repo in repos if repo in used and repo is not engine)]
