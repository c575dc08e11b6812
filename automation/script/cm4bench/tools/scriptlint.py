"""`cm lint script`: everything that can be said about scripts without running them, with place and remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..manifest import Repo
from ..manifestfiles import manifest_files
from . import lintcode, lintmanifest
from .lintrepo import Neighbourhood, duplicates
from .lintunit import Finding, Level, Unit

__all__ = ["findings_data", "lint", "summary", "units_of"]

LEVELS: tuple[Level, ...] = ("error", "warning", "advice")


def units_of(repo: Repo) -> list[Unit]:
    """The script folders of a repository, in the order of their names."""
    root = repo.script_root
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [Unit(folder, repo) for folder in folders if manifest_files(folder)]


def lint(units: Sequence[Unit], catalog: Catalog, only: Collection[str] = ()) -> list[Finding]:
    """Findings about units (those named in `only`, if any), used among the scripts of a catalogue; worst first.

    Reads files and asks bash for the syntax of native scripts; runs nothing of theirs.
    """
    neighbours = Neighbourhood(catalog, units)
    chosen = [unit for unit in units if not only or unit.name in only or unit.folder.name in only]
    places = {unit.folder for unit in chosen}
    found = [finding for unit in chosen for finding in _of_unit(unit, neighbours)]
    found += [finding for finding in duplicates(units) if finding.path.parent in places]
    return sorted(dict.fromkeys(found), key=lambda one: (LEVELS.index(one.level), str(one.path), one.line))


def _of_unit(unit: Unit, neighbours: Neighbourhood) -> Iterator[Finding]:
    for rule in lintcode.RULES:
        yield from rule(unit)
    if unit.broken:
        yield _broken(unit)
        return
    for rule in lintmanifest.RULES:
        yield from rule(unit)
    yield from neighbours.rules(unit)


def _broken(unit: Unit) -> Finding:
    """`file:line: cause` of the manifest's reader, taken apart."""
    place, _, text = unit.broken.partition(": ")
    path, _, line = place.rpartition(":")
    if not line.isdigit():
        return Finding("error", "manifest", Path(place), 1, text, "correct the file")
    return Finding("error", "manifest", Path(path), int(line), text, "correct the line")


def summary(found: Sequence[Finding], scripts: int) -> str:
    """`21 scripts: 1 error, 3 warnings, 2 pieces of advice`."""
    counts = Counter(finding.level for finding in found)
    words = {
        "error": ("error", "errors"),
        "warning": ("warning", "warnings"),
        "advice": ("piece of advice", "pieces of advice"),
    }
    parts = [f"{counts[level]} {words[level][counts[level] != 1]}" for level in LEVELS if counts[level]]
    return f"{scripts} scripts: {', '.join(parts) or 'nothing to complain about'}"


def findings_data(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings for programs."""
    return [{**finding._asdict(), "path": str(finding.path)} for finding in found]
