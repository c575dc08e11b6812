"""Packing a result: its records and logs, the lock, facts, bill of materials and report, in one RO-Crate."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from cm4bench.tools.lockfile import Lock, write_lock
from cm4bench_crates import layout
from cm4bench_crates.dataset import croissant
from cm4bench_crates.errors import CrateError
from cm4bench_crates.facts import contradictions, facts_of
from cm4bench_crates.installed import packages_of
from cm4bench_crates.locking import Found, lock_of
from cm4bench_crates.metadata import About, metadata
from cm4bench_crates.packing import pack
from cm4bench_crates.redaction import Cleaner, cleaner_for
from cm4bench_crates.sbom import sbom
from cm4bench_crates.scripts import Scripts
from cm4bench_crates.selection import Chosen
from cm4bench_results.record import dumps, loads
from cm4bench_results.store import StoredRecord


@dataclass(frozen=True)
class Captured:
    """A crate that was written. ``redacted`` are the files of which something was taken away."""

    target: Path
    files: int
    lock_origin: str
    redacted: tuple[str, ...]


def capture(cm: Any, chosen: Chosen, target: Path, about: About, lock: str = "") -> Captured:
    """Write the crate of ``chosen`` to ``target``: .zip, .tar.gz, or a folder. Equal input gives equal bytes.

    Raises:
        CrateError: a log is gone or was changed, the lock is not of this result, or the target cannot be written.
    """
    for stored in chosen.records:
        _refuse_changed_logs(stored)
    found = lock_of(cm, chosen, lock)
    _refuse_foreign_lock(found, chosen)
    with tempfile.TemporaryDirectory(prefix="cm4bench-crate-") as name:
        folder = Path(name)
        redacted = _fill(cm, folder, chosen, found, about)
        pack(folder, target)
        count = sum(path.is_file() for path in folder.rglob("*"))
    return Captured(target, count, found.origin, tuple(redacted))


def _fill(cm: Any, folder: Path, chosen: Chosen, found: Found, about: About) -> list[str]:
    cleaner = cleaner_for(one.record for one in chosen.records)
    lock, scripts = _clean_lock(found.lock, cleaner), Scripts.of(cm)
    redacted = [name for stored in chosen.records for name in _put_record(folder, stored, cleaner)]
    for stored in chosen.repeats:
        _put(folder, f"{layout.REPEATS}/{stored.record.id}/result.json", _record_text(stored, cleaner))
    write_lock(lock, folder / layout.LOCK)
    request = cleaner.data(asdict(chosen.records[0].record.request))
    _put(folder, layout.REQUEST, _json(request))
    _put(folder, layout.FACTS, _json(cleaner.data(facts_of(lock, chosen.records))))
    packages = packages_of(lock, Path(cm.repos_path) / "repos" / "local" / "cache")
    _put(folder, layout.SBOM, sbom(lock, packages, scripts, about.title))
    if described := croissant(lock, scripts, chosen.records[0].record.created):
        _put(folder, layout.CROISSANT, described)
    _put_report(folder, about)
    _put(folder, layout.README, _readme(chosen, about))
    records = [loads((folder / _place(one)).read_bytes()) for one in chosen.records]
    _put(folder, layout.METADATA, metadata(folder, records, lock, about))
    return redacted


def _place(stored: StoredRecord) -> str:
    return f"{layout.RESULTS}/{stored.path.parent.parent.name}/{stored.path.parent.name}/result.json"


def _put_record(folder: Path, stored: StoredRecord, cleaner: Cleaner) -> Iterator[str]:
    """The record and the logs that it names; yields those that had to be redacted."""
    place, source = _place(stored), stored.path.parent
    _put(folder, place, _record_text(stored, cleaner))
    for run in stored.record.runs:
        for file in run.files:
            content = cleaner.content(source / file.path)
            target = folder / place.rpartition("/")[0] / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            if hashlib.sha256(content).hexdigest() != file.sha256:
                yield target.relative_to(folder).as_posix()


def _record_text(stored: StoredRecord, cleaner: Cleaner) -> str:
    record = cleaner.data(json.loads(dumps(stored.record)))
    argv = [_typed(word) for word in record["request"]["argv"]]
    record["request"]["argv"] = argv
    return _json(record)


def _typed(word: Any) -> Any:
    """A typed `--token=…` that an earlier process knew, and this one does not."""
    from cm4bench.redact import scrub

    key, mark, value = str(word).partition("=")
    return f"{key}={scrub(value, key.lstrip('-').rpartition('.')[2])}" if mark and key.startswith("-") else word


def _clean_lock(lock: Lock, cleaner: Cleaner) -> Lock:
    return msgspec.convert(cleaner.data(msgspec.to_builtins(lock)), Lock)


def _refuse_changed_logs(stored: StoredRecord) -> None:
    from cm4bench.outputs import sha256_of

    folder = stored.path.parent
    for file in (file for run in stored.record.runs for file in run.files):
        path = (folder / file.path).resolve()
        if folder.resolve() not in path.parents:
            raise CrateError(f"{stored.path} names a file outside of its folder: {file.path}", "run again")
        if not path.is_file():
            raise CrateError(f"{path} is gone, and the record names it", "restore it, or run again")
        if sha256_of(path) != file.sha256:
            raise CrateError(f"{path} was changed after the run: its sha256 is not the record's", "run again")


def _refuse_foreign_lock(found: Found, chosen: Chosen) -> None:
    against = list(contradictions(found.lock, chosen.records))
    if against:
        lines = "\n".join(f"  {line}" for line in against)
        hint = "run again with --lock=FILE, and pack that" if found.late else "--lock=FILE names the right one"
        raise CrateError(f"the lock ({found.origin}) is not of this result\n{lines}", hint)


def _put_report(folder: Path, about: About) -> None:
    from cm4bench_results.html import write_report
    from cm4bench_results.store import ResultStore

    records = [stored.record for stored in ResultStore(folder / layout.RESULTS).records()]
    write_report(records, folder / layout.REPORT, about.title)


def _readme(chosen: Chosen, about: About) -> str:
    typed = " ".join(chosen.records[0].record.request.tags)
    return f"""# {about.title}

Results of `cmr "{typed}"`, packed as an RO-Crate. To make them again on another machine, with cm4bench:

    cm reproduce experiment FOLDER_OR_ARCHIVE

It checks the hashes of all files, names what is different there, runs what `lock.json` holds, and compares.
`results/` holds records and logs, `report.html` shows them, `facts.json` tells the host, `sbom.spdx.json` lists
scripts, packages and licences.
"""


def _put(folder: Path, name: str, text: str) -> None:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
