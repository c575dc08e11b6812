"""All scripts of all registered repositories, found by tags through the persistent index.

YAML is parsed only for manifests that changed, and a manifest is unpacked from the index only when a query selects it.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from .errors import CMBenchError, ManifestError, NotFound, did_you_mean
from .index import Index, Row, has_new_manifest, open_index
from .manifest import Repo, Script
from .query import Query
from .values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Catalog", "Selection", "SetAside"]


class SetAside(NamedTuple):
    """A script that cannot be used, and why (broken file, unknown key)."""

    path: Path
    cause: str


class Selection(NamedTuple):
    """The script chosen for a query, what else matched, and why this one."""

    script: Script
    others: tuple[Script, ...] = ()
    because: str = "the only match"


class Catalog:
    """Find scripts by tags. Opened once per command; open a new one to see later edits."""

    def __init__(self, repos: Sequence[Repo], index: Index, home: str) -> None:
        self.repos = tuple(repos)
        self._index = index
        self._home = home
        self._scripts: dict[int, Script] = {}

    @classmethod
    def open(cls, repos: Sequence[Repo], home: str | os.PathLike[str]) -> Catalog:
        """Read the index under `home`, refresh what changed on disk, and write it back if anything did."""
        place = os.fspath(home)
        return cls(repos, open_index(repos, place), place)

    def __len__(self) -> int:
        return sum(1 for number in range(len(self._index.rows)) if self._row(number).stamp)

    def __iter__(self) -> Iterator[Script]:
        return (self._script(number) for number in self._readable())

    @cached_property
    def set_aside(self) -> tuple[SetAside, ...]:
        from pathlib import Path

        rows = (self._row(number) for number in self._index.faulty)
        return tuple(SetAside(Path(row.folder), row.fault) for row in rows)

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
        if any(has_new_manifest(self._row(n)) for n in self._numbers(query.tags)):
            self._reload()
            candidates = self._with_tags(query)
        if not candidates:
            raise self._no_tags(query)
        found = [s for s in candidates if all(offers(s, v) for v in _variation_words(query))]
        if not found:
            raise _no_variation(query, candidates)
        found = _spelt_out(found, query) or found
        self._refuse_faulty(found[0])
        if len(found) == 1:
            return Selection(found[0])
        return Selection(found[0], tuple(found[1:]), _why_first(found))

    def _reload(self) -> None:
        """A manifest was added beside a known one, which a warm start does not look for in thousands of folders."""
        self._index = open_index(self.repos, self._home, thorough=True)
        self._scripts.clear()

    def has_tag(self, tag: str) -> bool:
        return tag in self._index.by_tag

    def by_name(self, name: str) -> Script | None:
        """A script by alias, uid, `repository:alias`, or the first whose alias fits a pattern."""
        import fnmatch

        repo, colon, alias = name.rpartition(":")
        if not colon and name in self._index.by_name:
            return self._script(self._index.by_name[name])
        if not colon and not any(c in name for c in "*?"):
            return None
        for number in self._readable():
            row = self._row(number)
            owner = self.repos[row.repo]
            if (not repo or repo in (owner.alias, owner.uid)) and any(fnmatch.fnmatchcase(n, alias) for n in row.names):
                return self._script(number)
        return None

    def _with_tags(self, query: Query) -> list[Script]:
        if query.folder:
            return [self._script(n) for n in self._readable() if self._row(n).folder == query.folder]
        numbers = self._numbers(query.tags)
        for tag in query.excluded_tags:
            numbers.difference_update(self._index.by_tag.get(tag, ()))
        scripts = [self._script(n) for n in numbers]
        return sorted(scripts, key=lambda s: (s.sort, self.repos.index(s.repo), s.folder))

    def _with_all_of(self, tags: str) -> list[Script]:
        return self._with_tags(Query(tuple(tags.split(","))))

    def _numbers(self, tags: Sequence[str]) -> set[int]:
        if not tags:
            return set(self._readable())
        groups = sorted((self._index.by_tag.get(tag, ()) for tag in tags), key=len)
        return set(groups[0]).intersection(*groups[1:])

    def _readable(self) -> list[int]:
        return [number for number in range(len(self._index.rows)) if self._row(number).packed]

    def _row(self, number: int) -> Row:
        return Row(*self._index.rows[number])

    def _script(self, number: int) -> Script:
        if number not in self._scripts:
            row = self._row(number)
            self._scripts[number] = Script(
                row.folder, self.repos[row.repo], marshal.loads(row.packed), self._with_all_of
            )
        return self._scripts[number]

    def _refuse_faulty(self, script: Script) -> None:
        rows = (self._row(number) for number in self._index.faulty)
        faulty = next((row for row in rows if row.folder == script.folder), None)
        if faulty:
            raise ManifestError(faulty.fault, hint="correct the manifest and run the same command again")

    def _no_tags(self, query: Query) -> CMBenchError:
        known = self._index.by_tag
        unknown = [tag for tag in query.tags if tag not in known]
        if unknown:
            cause = f"no script has the tag {unknown[0]!r}{did_you_mean(unknown[0], list(known))}"
        elif not known:
            cause = "no script is known"
        else:
            near = max(self, key=lambda script: len(set(script.tags) & set(query.tags)))
            cause = f"no script has all of the tags {' '.join(query.tags)!r}; "
            cause += f"the nearest, {near.alias}, has {' '.join(near.tags)!r}"
        cause += "".join(f"\nset aside: {fault.cause}" for fault in self.set_aside[:3])
        hint = "cm find script --tags=TAG lists what there is"
        if not known:
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


def _spelt_out(found: Sequence[Script], query: Query) -> list[Script]:
    """The script whose alias is the tags themselves: `run mlperf inference` means run-mlperf-inference, unasked.

    For strict repositories only; elsewhere CM's order counts.
    """
    return [script for script in found if script.repo.strict and script.alias == "-".join(query.tags)][:1]


def _why_first(found: Sequence[Script]) -> str:
    first, second = found[0], found[1]
    if first.sort != second.sort:
        return f"first of {len(found)} by its sort key {first.sort}"
    if first.repo != second.repo:
        return f"first of {len(found)}: repository {first.repo.alias} comes before {second.repo.alias}"
    return f"first of {len(found)} by path"
