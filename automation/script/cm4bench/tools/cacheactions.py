"""`cm show|find|verify|prune cache`: the store, seen and tidied by its owner."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..compat.artifacts import found_entry
from ..errors import CMBenchError
from ..manifest import is_yes
from ..outputs import verify_content
from ..query import Query, parse_query
from ..store import Entry, Store
from ..units import megabytes, seconds

__all__ = ["prune", "search", "show", "verify"]


def show(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """One block per entry: what it is, where, how large, how old, its tags; `--env` adds what it gives."""
    found = list(_chosen(automation, i))
    if i.get("out") == "con":
        for entry, tags in found:
            age = seconds(time.time() - entry.created)
            print(f"{entry.label}\n  {entry.folder}  {megabytes(_size(entry.folder))}, {age} old\n  {', '.join(tags)}")
            for key, value in entry.outcome.new_env.items() if is_yes(i.get("env")) else ():
                print(f"    {key}={value}")
        print(f"{len(found)} entries")
    entries = [_data(entry, tags) for entry, tags in found]
    return {"return": 0, "entries": entries, "list": [found_entry(entry.folder) for entry, _ in found]}


def search(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Folders of the matching entries, one a line; in `list` as CM's artifacts."""
    found = list(_chosen(automation, i))
    if i.get("out") == "con":
        print("\n".join(str(entry.folder) for entry, _ in found))
    return {"return": 0, "list": [found_entry(entry.folder) for entry, _ in found]}


def verify(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Compare every hashed file with its fingerprint.

    Raises:
        CMBenchError: entries are damaged; names them and how to re-make them.
    """
    found = list(_chosen(automation, i))
    damaged = [(entry, problem) for entry, _ in found if (problem := verify_content(entry.outputs))]
    if damaged:
        lines = "\n".join(f"  {entry.label}: {problem}" for entry, problem in damaged)
        raise CMBenchError(
            f"{len(damaged)} of {len(found)} cache entries are damaged\n{lines}",
            hint="cm prune cache --damaged -f removes them; the next run makes them anew",
        )
    if i.get("out") == "con":
        print(f"{len(found)} entries are as they were made")
    return {"return": 0}


def prune(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Remove matching entries (`--tags`, `--older_than=DAYS`, `--damaged`) and all debris; lists only, without `-f`.

    Raises:
        CMBenchError: an impossible `--older_than`.
    """
    store = _store(automation)
    doomed = [entry for entry, _ in _chosen(automation, i) if _is_doomed(entry, i)]
    force = is_yes(i.get("f")) or is_yes(i.get("force"))
    verb = "removed" if force else "would remove"
    for entry in doomed:
        if i.get("out") == "con":
            print(f"{verb} {entry.label}  {megabytes(_size(entry.folder))}  {entry.folder}")
        if force:
            store.discard(entry.folder)
            shutil.rmtree(entry.folder, ignore_errors=True)
    debris = store.sweep(set()) if force else []
    if i.get("out") == "con":
        tail = f" and {len(debris)} unfinished folders" if force else "; add -f to do it"
        print(f"{verb} {len(doomed)} entries{tail}")
    return {"return": 0, "removed": [str(e.folder) for e in doomed] if force else []}


def _is_doomed(entry: Entry, i: Mapping[str, Any]) -> bool:
    if is_yes(i.get("damaged")):
        return bool(verify_content(entry.outputs))
    days = i.get("older_than")
    if days is None:
        return bool(i.get("tags") or i.get("artifact")) or is_yes(i.get("all"))
    try:
        return time.time() - entry.created > float(str(days)) * 86400
    except ValueError:
        raise CMBenchError(f"--older_than={days} must be a number of days") from None


def _chosen(automation: Any, i: Mapping[str, Any]) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """Entries with the tags of `--tags`; `cm show cache UID` chooses one."""
    query = parse_query(str(i.get("tags") or ""))
    uid = str(i.get("artifact") or "").strip(",").lower()
    store = _store(automation)
    for entry in store.entries():
        tags = store.tags_of(entry.folder)
        if _matches(query, tags) and uid in ("", entry.folder.name):
            yield entry, tags


def _matches(query: Query, tags: tuple[str, ...]) -> bool:
    wanted = {*query.tags, *(f"_{v}" for v in query.variations)}
    unwanted = {*query.excluded_tags, *(f"_{v}" for v in query.excluded_variations)} - {"tmp"}
    return wanted <= set(tags) and not unwanted & set(tags)


def _store(automation: Any) -> Store:
    return Store(Path(automation.cmind.repos_path))


def _data(entry: Entry, tags: tuple[str, ...]) -> dict[str, Any]:
    data = {"label": entry.label, "folder": str(entry.folder), "id": entry.id}
    return {**data, "tags": list(tags), "created": entry.created}


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
