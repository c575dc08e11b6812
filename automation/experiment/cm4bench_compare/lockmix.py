"""The difference of two locks as single entries, and locks with some of them applied.

What a request asked for and which packages it installed can be mixed at will. A host, an edited recipe or other data
cannot be had by writing it into a lock; such entries are named, not tried.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENGINE = Path(__file__).resolve().parents[2] / "script"
_PARTS = ("options", "env", "const", "adr", "ad", "state")
# Where a run leaves its results makes no result.
_OF_THE_CALL = ("results_dir", "output", "lock", "out", "quiet")
_ABSENT: Any = object()

Lock = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One difference. ``place`` leads to it in the request; for a package it is ``("package", NAME)``."""

    place: tuple[str, ...]
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = ("unset" if value is _ABSENT else f"{value}" for value in (self.old, self.new))
        return f"{self.name}: {old} → {new}"

    @property
    def name(self) -> str:
        """As a command line would write it."""
        kind, *rest = self.place
        if kind == "package":
            return f"package {rest[0]}"
        return f"--{'.'.join(rest)}" if kind == "options" else f"--{'.'.join(self.place)}" if rest else kind


def entries(good: Lock, bad: Lock) -> list[Entry]:
    """What can be mixed: options, environment, choices and versions of packages."""
    found = []
    one, other = good["request"], bad["request"]
    for part in _PARTS:
        found += list(_leaves((part,), one.get(part) or {}, other.get(part) or {}))
    for key in ("tags", "version"):
        if one.get(key) != other.get(key):
            found.append(Entry((key,), one.get(key, _ABSENT), other.get(key, _ABSENT)))
    before, after = _packages(good), _packages(bad)
    found += [
        Entry(("package", name), before[name], after[name])
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    ]
    return found


def fixed(good: Path, bad: Path) -> list[str]:
    """Differences that no lock can bring back, in words: host, recipes, data, tools."""
    _engine()
    from cm4bench.tools.difference import compare_locks
    from cm4bench.tools.lockfile import read_lock

    kinds = ("script", "recipe", "data", "tool", "host", "note")
    return [str(one) for one in compare_locks(read_lock(good), read_lock(bad)) if one.kind in kinds]


def mixed(good: Lock, chosen: Iterable[Entry]) -> Lock:
    """The good lock with the chosen entries of the bad one."""
    made = copy.deepcopy(good)
    for entry in chosen:
        if entry.place[0] == "package":
            _set_package(made, entry.place[1], str(entry.new))
        else:
            _put(made["request"], entry.place, entry.new)
    return made


def read(path: Path) -> Lock:
    """A lock as plain values; the engine's ``LockError`` where it is none."""
    _engine()
    import msgspec

    from cm4bench.tools.lockfile import read_lock

    made: Lock = msgspec.to_builtins(read_lock(path))
    return made


def write(lock: Lock, path: Path) -> None:
    """Write a lock with its checksum."""
    _engine()
    import msgspec

    from cm4bench.tools.lockfile import Lock as Locked
    from cm4bench.tools.lockfile import write_lock

    write_lock(msgspec.convert(lock, Locked, strict=False), path)


def _engine() -> None:
    if str(_ENGINE) not in sys.path:
        sys.path.append(str(_ENGINE))


def _leaves(place: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Entry]:
    for key in sorted({*old, *new}):
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if before == after or (place == ("options",) and key in _OF_THE_CALL):
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _leaves((*place, key), before, after)
        else:
            yield Entry((*place, key), before, after)


def _put(request: dict[str, Any], place: Sequence[str], value: Any) -> None:
    *folders, last = place
    for name in folders:
        request = request.setdefault(name, {})
    if value is _ABSENT:
        request.pop(last, None)
    else:
        request[last] = copy.deepcopy(value)


def _packages(lock: Lock) -> dict[str, str]:
    found = (package for step in lock.get("steps") or () for package in step.get("packages") or ())
    return {package["name"]: package["version"] for package in found}


def _set_package(lock: Lock, name: str, version: str) -> None:
    for step in lock.get("steps") or ():
        for package in step.get("packages") or ():
            if package["name"] == name:
                package["version"] = version
                package.pop("record_sha256", None)  # that of the other version
