"""The persistent index of manifests: opened with one `stat` per manifest, rebuilt only where something changed."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH116
from __future__ import annotations

import marshal
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .blobfile import read_blob, write_blob
from .digest import digest
from .errors import ManifestError
from .manifest import MANIFEST_NAMES, MLC_MANIFEST_NAMES, Repo
from .values import NamedTuple

__all__ = ["Index", "Row", "has_new_manifest", "open_index"]

_VERSION = 9


class Row(NamedTuple):
    """One script folder. `stamp`: (name, mtime_ns, size) of each manifest; `packed`: the marshalled manifest."""

    folder: str
    repo: int
    stamp: tuple[tuple[str, int, int], ...]
    packed: bytes = b""
    tags: Sequence[str] = ()
    names: Sequence[str] = ()
    fault: str = ""


class Index(NamedTuple):
    """Rows as plain tuples in `Row`'s order (thousands are kept, few are looked at), and row numbers by word."""

    rows: Sequence[Any]
    by_tag: Mapping[str, Sequence[int]]
    by_name: Mapping[str, int]
    faulty: Sequence[int] = ()


def open_index(repos: Sequence[Repo], home: str, *, thorough: bool = False) -> Index:
    """The index of these repositories, from its file under `home` as far as that still tells the truth.

    `thorough` also looks for manifests that were added beside known ones.
    """
    identity = digest("\0".join(f"{r.folder}|{r.prefix}|{r.strict}" for r in repos))
    store = f"{home}/catalog-{identity[:12]}.bin"
    stored = read_blob(store, _VERSION)
    folders = [(number, folder) for number, repo in enumerate(repos) for folder in _script_folders(repo)]
    if stored and not thorough and _is_current(stored[0], folders):
        return Index(*stored)
    known = {row[0]: row for row in stored[0]} if stored else {}
    places = [f"{repo.folder}/{repo.prefix}/script" for repo in repos]
    index = _build([_refreshed(folder, n, repos[n], known.get(folder), places) for n, folder in folders])
    write_blob(store, _VERSION, tuple(index))
    return index


def _is_current(rows: Sequence[Any], folders: Sequence[tuple[int, str]]) -> bool:
    """Same folders in the same order, no manifest touched. The loop is what a warm start costs, so it is kept bare."""
    if len(rows) != len(folders):
        return False
    stat = os.stat
    for row, (_, folder) in zip(rows, folders, strict=True):
        if row[0] != folder or not (row[2] or not _stamp(folder)):
            return False
        for name, mtime, size in row[2]:
            try:
                info = stat(f"{folder}/{name}")
            except OSError:
                return False
            if info.st_mtime_ns != mtime or info.st_size != size:
                return False
    return True


def has_new_manifest(row: Row) -> bool:
    """Has a manifest been added or taken away since the row was read, as `cm update` does?"""
    return _stamp(row.folder) != tuple(item for item in row.stamp if not item[0].startswith("../"))


def _refreshed(folder: str, number: int, repo: Repo, known: Any, places: Sequence[str]) -> Row:
    stamp = _stamp(folder)
    if known and known[2] == stamp:
        return Row(*known)
    return _read(folder, number, repo, stamp, places) if stamp else Row(folder, number, ())


def _read(name: str, number: int, repo: Repo, stamp: tuple[tuple[str, int, int], ...], places: Sequence[str]) -> Row:
    from pathlib import Path

    from .manifestfiles import base_folder, load_raw
    from .schema import find_unknown_keys, find_wrong_shape

    folder, elsewhere = Path(name), [Path(place) for place in places]
    try:
        raw = load_raw(folder, elsewhere)
        misshapen = find_wrong_shape(raw, folder)
        if misshapen:
            raise ManifestError(misshapen)
        fault = (find_unknown_keys(raw, folder) if repo.strict else None) or ""
    except ManifestError as error:
        return Row(name, number, stamp, fault=error.cause)
    tags = [str(tag) for tag in raw.get("tags") or ()]
    names = [str(raw[key]) for key in ("alias", "uid") if raw.get(key)]
    if "_base" in raw:
        base = os.path.relpath(base_folder(folder, raw, elsewhere), folder)
        stamp += tuple((f"{base}/{file}", mtime, size) for file, mtime, size in _stamp(f"{name}/{base}"))
    return Row(name, number, stamp, marshal.dumps(raw), tags, names, fault)


def _build(rows: Sequence[Row]) -> Index:
    by_tag: dict[str, list[int]] = {}
    by_name: dict[str, int] = {}
    for number, row in enumerate(rows):
        for tag in dict.fromkeys(row.tags):
            by_tag.setdefault(tag, []).append(number)
        for name in row.names:
            by_name.setdefault(name, number)
    return Index([tuple(row) for row in rows], by_tag, by_name, [n for n, row in enumerate(rows) if row.fault])


def _script_folders(repo: Repo) -> list[str]:
    parts = (repo.folder, repo.prefix, "script")
    try:
        with os.scandir("/".join(filter(None, parts))) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []


def _stamp(folder: str) -> tuple[tuple[str, int, int], ...]:
    return _stamp_of(folder, MANIFEST_NAMES) or _stamp_of(folder, MLC_MANIFEST_NAMES)


def _stamp_of(folder: str, names: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    stamp = []
    for name in names:
        try:
            info = os.stat(f"{folder}/{name}")
        except OSError:
            continue
        stamp.append((name, info.st_mtime_ns, info.st_size))
    return tuple(stamp)
