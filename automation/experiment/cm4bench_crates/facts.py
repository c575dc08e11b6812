"""The facts under which a result was made, kept apart from the lock, so that either can be held against the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from cm4bench.tools.difference import compare_values
from cm4bench.tools.lockfile import Lock
from cm4bench_crates.installed import normal
from cm4bench_results.store import StoredRecord


def facts_of(lock: Lock, records: tuple[StoredRecord, ...]) -> dict[str, Any]:
    """Host facts of the lock, and host and versions of each record by its id."""
    hosts = {one.record.id: asdict(one.record.host) for one in records}
    versions = {one.record.id: dict(one.record.versions) for one in records}
    return {"host": dict(lock.host), "record_host": hosts, "versions": versions}


def contradictions(lock: Lock, records: tuple[StoredRecord, ...]) -> Iterator[str]:
    """Where the lock cannot be that of the results: another request, other versions of what they say they ran."""
    packages = {normal(package.name): package.version for step in lock.steps for package in step.packages}
    words = set(lock.request.tags.replace(" ", ",").split(","))
    for one in records:
        typed = one.record.request.tags
        if not set(typed) <= words | _tags(lock):
            yield f"the lock is of “{lock.request.tags}”, the result {one.record.id} of “{' '.join(typed)}”"
        for name, version in one.record.versions.items():
            locked = packages.get(normal(name))
            if locked and _plain(locked) != _plain(version):
                yield f"{name}: the lock says {locked}, the result says {version}"


def changed_facts(host: Mapping[str, Any], lock: Lock) -> Iterator[str]:
    """Host facts of the lock that are not those written down beside it."""
    for key, text in compare_values(host, lock.host):
        yield f"host fact {key}: the facts and the lock differ: {text}"


def _tags(lock: Lock) -> set[str]:
    return {tag for step in lock.steps for tag in step.tags}


def _plain(version: str) -> str:
    """Without what is only told of some builds, as in 2.6.0+cpu."""
    return str(version).partition("+")[0]
