"""The Python packages behind a lock: those it names and all that these need, as they are installed here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cm4bench.tools.lockfile import Lock, Package

_ENTRY = "{cache}/{entry}"
# A longer "licence" is a whole licence text in the wrong field.
_SENTENCE = 60


@dataclass(frozen=True)
class Installed:
    """A package; ``needs`` are names of others in the same list. ``license`` is what the package itself says.

    ``locked`` packages are named by the lock; the others came with them. ``found`` is false where it is not here.
    """

    name: str
    version: str
    license: str = ""
    homepage: str = ""
    needs: tuple[str, ...] = ()
    locked: bool = False
    found: bool = True


def packages_of(lock: Lock, cache: Path) -> list[Installed]:
    """The closure of the lock's packages, by name; ``cache`` is the folder of cache entries on this host."""
    named = {normal(package.name): package for step in lock.steps for package in step.packages}
    folders = list(dict.fromkeys(_folders(named.values(), cache)))
    known = _index(folders)
    found: dict[str, Installed] = {}
    todo = [(name, package.version) for name, package in named.items()]
    while todo:
        name, version = todo.pop()
        if name in found:
            continue
        one = next((d for d in known.get(name, ()) if not version or d.version == version), None)
        if one is None and name not in named:
            continue  # an optional need that is not installed
        found[name] = _installed(name, version, one, locked=name in named)
        todo += [(other, "") for other in found[name].needs]
    return sorted((_known_needs(one, found) for one in found.values()), key=lambda one: one.name)


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _folders(packages: Iterable[Package], cache: Path) -> Iterator[str]:
    for package in packages:
        if package.folder.startswith(_ENTRY):
            rest = package.folder.removeprefix(_ENTRY).lstrip("/")
            yield from map(str, sorted(cache.glob(f"*/{rest}")))
        else:
            yield package.folder.replace("{python}", sys.prefix)
    yield from sys.path


def _index(folders: Iterable[str]) -> dict[str, list[Distribution]]:
    found: dict[str, list[Distribution]] = {}
    for one in distributions(path=list(folders)):
        if one.metadata["Name"]:
            found.setdefault(normal(one.metadata["Name"]), []).append(one)
    return found


def _installed(name: str, version: str, one: Distribution | None, *, locked: bool) -> Installed:
    if one is None:
        return Installed(name, version, locked=locked, found=False)
    return Installed(name, one.version, _licence(one), _said(one, "Home-page"), tuple(_needs(one)), locked)


def _licence(one: Distribution) -> str:
    """The expression (PEP 639), else the short text of the old field, else the classifiers."""
    short = _said(one, "License")
    if expression := _said(one, "License-Expression"):
        return expression
    if short and "\n" not in short and len(short) < _SENTENCE:
        return short
    classifiers = one.metadata.get_all("Classifier") or []
    classified = [text.rpartition("::")[2].strip() for text in classifiers if "License ::" in text]
    return ", ".join(classified)


def _said(one: Distribution, key: str) -> str:
    """The first value of a field of the package's description; empty without one."""
    return next(iter(one.metadata.get_all(key) or ()), "")


def _needs(one: Distribution) -> Iterator[str]:
    from packaging.requirements import InvalidRequirement, Requirement

    for text in one.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield normal(requirement.name)


def _known_needs(one: Installed, found: dict[str, Installed]) -> Installed:
    from dataclasses import replace

    return replace(one, needs=tuple(sorted({name for name in one.needs if name in found})))
