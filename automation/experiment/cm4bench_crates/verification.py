"""Is the crate what its metadata says, and do its parts tell the same story? Read and hashed, nothing is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench.outputs import sha256_of
from cm4bench.tools.lockfile import Lock, LockError, read_lock
from cm4bench_crates import layout
from cm4bench_crates.errors import CrateError
from cm4bench_crates.facts import changed_facts, contradictions
from cm4bench_crates.installed import normal
from cm4bench_results.record import RecordError
from cm4bench_results.store import ResultStore, StoredRecord, load_file


@dataclass(frozen=True)
class Contents:
    """A crate that was read. ``problems`` speak against believing it; ``license``, ``identifier`` may be empty."""

    folder: Path
    title: str
    lock: Lock
    records: tuple[StoredRecord, ...]
    repeats: tuple[StoredRecord, ...]
    files: int
    license: str
    identifier: str
    problems: tuple[str, ...]
    parts: tuple[str, ...]


def read(folder: Path) -> Contents:
    """Read and verify.

    Raises:
        CrateError: the metadata, the lock or a record cannot be read at all.
    """
    entities = _entities(folder)
    root = entities.get("./", {})
    altered = tuple(_altered(folder, entities))
    lock = _lock(folder, altered)
    records = tuple(_records(folder / layout.RESULTS))
    if not records:
        raise CrateError("the crate holds no result", "cm capture experiment ID makes one that does")
    doubts = (*altered, *contradictions(lock, records), *_against_facts(folder, lock), *_against_sbom(folder, lock))
    licence = entities.get(str(_reference(root.get("license"))), {})
    return Contents(
        folder=folder,
        title=str(root.get("name") or folder.name),
        lock=lock,
        records=records,
        repeats=tuple(_records(folder / layout.REPEATS)),
        files=sum(entity.get("@type") == "File" for entity in entities.values()),
        license="" if str(licence.get("@id", "")).startswith("#") else str(licence.get("name") or ""),
        identifier=str(root.get("identifier") or ""),
        problems=tuple(dict.fromkeys(doubts)),
        parts=tuple(name for name in (layout.README, layout.SBOM, layout.REPORT) if (folder / name).is_file()),
    )


def _entities(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        graph = json.loads((folder / layout.METADATA).read_text("utf-8"))["@graph"]
        return {str(entity["@id"]): entity for entity in graph}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CrateError(f"{layout.METADATA} cannot be read: {error}", "get the crate again") from None


def _reference(value: Any) -> Any:
    return value.get("@id", "") if isinstance(value, dict) else value


def _altered(folder: Path, entities: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Files that are gone, changed, or not listed."""
    listed = {name: entity for name, entity in entities.items() if entity.get("@type") == "File"}
    for name, entity in sorted(listed.items()):
        path = (folder / name).resolve()
        if folder.resolve() not in path.parents:
            yield f"{name}: listed, and outside of the crate"
        elif not path.is_file():
            yield f"{name}: listed, and not there"
        elif sha256_of(path) != entity.get("sha256"):
            yield f"{name}: its sha256 is not the one in {layout.METADATA}"
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in listed and name != layout.METADATA:
            yield f"{name}: there, and not listed"


def _lock(folder: Path, altered: tuple[str, ...]) -> Lock:
    try:
        return read_lock(folder / layout.LOCK)
    except LockError as error:
        cause = error.cause.replace(f"{folder}/", "")
        more = "\n".join(f"  {line}" for line in altered)
        raise CrateError(f"the lock lies: {cause}\n{more}".rstrip(), "get the crate again") from None


def _records(root: Path) -> Iterator[StoredRecord]:
    try:
        yield from (StoredRecord(load_file(path), path) for path in ResultStore(root).paths())
    except RecordError as error:
        raise CrateError(str(error), "get the crate again") from None


def _against_facts(folder: Path, lock: Lock) -> Iterator[str]:
    try:
        host = dict(json.loads((folder / layout.FACTS).read_text("utf-8"))["host"])
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{layout.FACTS}: not there or not readable"
        return
    yield from changed_facts(host, lock)


def _against_sbom(folder: Path, lock: Lock) -> Iterator[str]:
    """The lock's packages must be in the bill of materials, in the same version."""
    try:
        packages = json.loads((folder / layout.SBOM).read_text("utf-8"))["packages"]
        listed = {normal(one["name"]): str(one.get("versionInfo") or "") for one in packages}
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{layout.SBOM}: not there or not readable"
        return
    for package in {p.name: p for step in lock.steps for p in step.packages}.values():
        other = listed.get(normal(package.name))
        if other != package.version:
            yield f"{package.name}: the lock says {package.version}, the bill of materials {other or 'nothing'}"
