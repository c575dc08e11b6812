"""A script folder as the linter sees it: its manifest with line numbers, and what is found wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..deplists import DEP_LISTS
from ..errors import ManifestError
from ..manifest import Repo
from ..manifestfiles import load_raw
from ..schema import Trail, manifest_line

__all__ = ["Finding", "Level", "Unit", "blocks", "dependencies"]

Level = Literal["error", "warning", "advice"]


class Finding(NamedTuple):
    """One thing to correct: `error` breaks something, `warning` may, `advice` would make it better."""

    level: Level
    rule: str
    path: Path
    line: int
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.level}: {self.text} [{self.rule}]\n    → {self.remedy}"


class Unit:
    """One script folder of a repository; `broken` says why its manifest cannot be read."""

    def __init__(self, folder: Path, repo: Repo) -> None:
        self.folder = folder
        self.repo = repo
        self.broken = ""
        self.raw: dict[str, Any] = {}
        try:
            self.raw = load_raw(folder)
        except ManifestError as error:
            self.broken = error.cause

    @cached_property
    def name(self) -> str:
        return str(self.raw.get("alias") or self.folder.name)

    def finding(self, level: Level, rule: str, trail: Trail, text: str, remedy: str) -> Finding:
        """A finding at the manifest key that `trail` leads to."""
        path, line = manifest_line(self.folder, trail)
        return Finding(level, rule, path, line, text, remedy)


def blocks(raw: Mapping[str, Any]) -> Iterator[tuple[Trail, Mapping[str, Any]]]:
    """The manifest itself, then each variation and version that is a mapping."""
    yield (), raw
    for section in ("variations", "versions"):
        named = raw.get(section)
        for name, block in named.items() if isinstance(named, Mapping) else ():
            if isinstance(block, Mapping):
                yield (section, str(name)), block


def dependencies(raw: Mapping[str, Any]) -> Iterator[tuple[Trail, Mapping[str, Any]]]:
    """Every dependency of every block."""
    for trail, block in blocks(raw):
        for section in DEP_LISTS:
            listed = block.get(section)
            for number, dep in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(dep, Mapping):
                    yield (*trail, section, number), dep
