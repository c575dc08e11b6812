"""All scripts of all registered repositories, behind one inverted tag index that outlives the process.

Opening the catalogue costs one `stat` per manifest; YAML is parsed only for manifests that changed, and a script's
manifest is unpacked from the index only when a query selects it.
"""

from __future__ import annotations

import hashlib
import marshal
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from .blobfile import read_blob, write_blob
from .errors import CMBenchError, ManifestError, NotFound, did_you_mean
from .manifest import MANIFEST_NAMES, Repo, Script, load_raw
from .query import Query
from .schema import find_unknown_keys

__all__ = ["Catalog", "Selection", "SetAside"]

_VERSION = 4


class SetAside(NamedTuple):
    """A script that cannot be used, and why (broken file, unknown key)."""

    path: Path
    cause: str


class Selection(NamedTuple):
    """The script chosen for a query, what else matched, and why this one."""

    script: Script
    others: tuple[Script, ...] = ()
    because: str = "the only match"


class _Row:
    """One manifest in the index: where, its stamp, its packed content. Plain, because thousands are made."""

    __slots__ = ("fault", "folder", "packed", "repo", "stamp", "tags")

    def __init__(self, folder: str, repo: int, stamp: Any, packed: bytes, tags: Sequence[str], fault: str) -> None:
        self.folder, self.repo, self.stamp = folder, repo, stamp
        self.packed, self.tags, self.fault = packed, tags, fault


class Catalog:
    """Find scripts by tags. Immutable once opened; open a new one to see later edits."""

    def __init__(self, repos: Sequence[Repo], rows: Sequence[_Row]) -> None:
        self.repos = tuple(repos)
        self._rows = rows
        self._scripts: dict[int, Script] = {}

    @classmethod
    def open(cls, repos: Sequence[Repo], home: Path) -> Catalog:
        """Read the index under `home`, refresh what changed on disk, and write it back if anything did."""
        identity = hashlib.sha256("\0".join(f"{r.path}|{r.prefix}|{r.strict}" for r in repos).encode()).hexdigest()
        store = home / f"catalog-{identity[:12]}.bin"
        known = {row[0]: row for row in read_blob(store, _VERSION) or ()}
        rows: list[_Row] = []
        changed = 0
        for number, repo in enumerate(repos):
            for folder in _script_folders(repo.script_root):
                stored = known.get(folder)
                stamp = _stamp(folder, stored[2] if stored else None)
                if stored and stored[2] == stamp:
                    rows.append(_Row(*stored))
                elif stamp:
                    rows.append(_read_row(Path(folder), number, repo, stamp))
                    changed += 1
        if changed or len(rows) != len(known):
            write_blob(store, _VERSION, [(r.folder, r.repo, r.stamp, r.packed, r.tags, r.fault) for r in rows])
        return cls(repos, rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Script]:
        return (self._script(index) for index in range(len(self._rows)) if self._rows[index].packed)

    @cached_property
    def set_aside(self) -> tuple[SetAside, ...]:
        return tuple(SetAside(Path(row.folder), row.fault) for row in self._rows if row.fault)

    @cached_property
    def _by_tag(self) -> dict[str, set[int]]:
        index: dict[str, set[int]] = {}
        for number, row in enumerate(self._rows):
            for tag in row.tags:
                index.setdefault(tag, set()).add(number)
        return index

    def find(self, query: Query) -> list[Script]:
        """Scripts that have all tags, none of the excluded ones, and offer every variation; best first."""
        return [s for s in self._with_tags(query) if all(offers(s, v) for v in _variation_words(query))]

    def select(self, query: Query) -> Selection:
        """The script for a query.

        Raises:
            NotFound: nothing matches; says which word is to blame and the nearest known ones.
            ManifestError: the match is set aside because its manifest is faulty.
        """
        candidates = self._with_tags(query)
        if not candidates:
            raise self._no_tags(query)
        found = [s for s in candidates if all(offers(s, v) for v in _variation_words(query))]
        if not found:
            raise _no_variation(query, candidates)
        self._refuse_faulty(found[0])
        if len(found) == 1:
            return Selection(found[0])
        return Selection(found[0], tuple(found[1:]), _why_first(found))

    def has_tag(self, tag: str) -> bool:
        return tag in self._by_tag

    def by_name(self, name: str) -> Script | None:
        """A script by alias or uid."""
        return next((s for s in self if name in (s.alias, s.uid)), None)

    def _with_tags(self, query: Query) -> list[Script]:
        numbers = self._numbers(query.tags)
        for tag in query.excluded_tags:
            numbers = numbers - self._by_tag.get(tag, set())
        scripts = [self._script(n) for n in numbers]
        return sorted(scripts, key=lambda s: (s.sort, self.repos.index(s.repo), str(s.path)))

    def _numbers(self, tags: Sequence[str]) -> set[int]:
        if not tags:
            return {n for n, row in enumerate(self._rows) if row.packed}
        sets = sorted((self._by_tag.get(tag, set()) for tag in tags), key=len)
        return set.intersection(*sets)

    def _script(self, number: int) -> Script:
        if number not in self._scripts:
            row = self._rows[number]
            self._scripts[number] = Script(Path(row.folder), self.repos[row.repo], marshal.loads(row.packed))
        return self._scripts[number]

    def _refuse_faulty(self, script: Script) -> None:
        fault = next((row.fault for row in self._rows if row.folder == str(script.path) and row.fault), None)
        if fault:
            raise ManifestError(fault, hint="correct the manifest and run the same command again")

    def _no_tags(self, query: Query) -> CMBenchError:
        unknown = [tag for tag in query.tags if tag not in self._by_tag]
        asked = " ".join(query.tags)
        if unknown:
            cause = f"no script has the tag {unknown[0]!r}{did_you_mean(unknown[0], list(self._by_tag))}"
        else:
            near = max(range(len(self._rows)), key=lambda n: len(set(self._rows[n].tags) & set(query.tags)))
            words, folder = " ".join(self._rows[near].tags), Path(self._rows[near].folder)
            cause = f"no script has all of the tags {asked!r}; the nearest, {folder.name}, has {words!r}"
        if self.set_aside:
            cause += "".join(f"\nset aside: {fault.cause}" for fault in self.set_aside[:3])
        hint = "cm find script --tags=TAG lists what there is"
        if not self._rows:
            hint = "cm add repo --path=FOLDER adds scripts"
        return NotFound(cause, hint=hint, code=1)


def offers(script: Script, variation: str) -> bool:
    """Does the script have this variation, literally or as `name.#`?"""
    return variation in script.variations or dynamic_key(variation) in script.variations


def dynamic_key(variation: str) -> str:
    """`batch_size.8` → `batch_size.#`; empty for a name without a value."""
    head, dot, tail = variation.partition(".")
    return f"{head}.#" if dot and tail else ""


def _variation_words(query: Query) -> tuple[str, ...]:
    return query.variations + query.excluded_variations


def _no_variation(query: Query, candidates: Sequence[Script]) -> NotFound:
    script = candidates[0]
    missing = next(v for v in _variation_words(query) if not offers(script, v))
    known = [v for v in script.variations if "," not in v]
    near = did_you_mean(missing, known)
    offered = "" if near else f"; it has {', '.join(known[:12]) or 'none'}{', …' if len(known) > 12 else ''}"
    return NotFound(
        f"{script.alias} has no variation {missing!r}{near}{offered}",
        hint=f'cmr "{" ".join(query.tags)}" --help lists its variations',
    )


def _why_first(found: Sequence[Script]) -> str:
    first, second = found[0], found[1]
    if first.sort != second.sort:
        return f"first of {len(found)} by its sort key {first.sort}"
    if first.repo != second.repo:
        return f"first of {len(found)}: repository {first.repo.alias} comes before {second.repo.alias}"
    return f"first of {len(found)} by path"


def _script_folders(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []


def _stamp(folder: str, expected: Any) -> Any:
    """Times and sizes of the folder's manifests. A known folder costs one stat unless it has both kinds."""
    names = [name for name, _, _ in expected] if expected else MANIFEST_NAMES
    stamp = []
    for name in names:
        try:
            info = os.stat(f"{folder}/{name}")  # noqa: PTH116 - thousands of them: no Path objects
        except OSError:
            continue
        stamp.append((name, info.st_mtime_ns, info.st_size))
    return tuple(stamp)


def _read_row(folder: Path, number: int, repo: Repo, stamp: Any) -> _Row:
    try:
        raw = load_raw(folder)
        fault = (find_unknown_keys(raw, folder) if repo.strict else None) or ""
    except ManifestError as error:
        return _Row(str(folder), number, stamp, b"", (), error.cause)
    tags = [str(tag) for tag in raw.get("tags") or ()]
    return _Row(str(folder), number, stamp, marshal.dumps(raw), tags, fault)
