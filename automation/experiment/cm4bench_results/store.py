"""Where results live: ``<results_dir>/<run id>/<scenario>/result.json``, beside the logs they were read from."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from cm4bench_results.record import RecordError, ResultRecord, dumps, loads

RESULT_FILE = "result.json"
RESULTS_DIR_KEY = "CM_MLPERF_RESULTS_DIR"
DEFAULT_FOLDER = "cm4bench-results"


def default_results_dir(env: Mapping[str, str], cwd: Path) -> Path:
    """``CM_MLPERF_RESULTS_DIR`` (the flag ``--results_dir``) where given, else ``cm4bench-results`` in ``cwd``."""
    given = str(env.get(RESULTS_DIR_KEY) or "").strip()
    return (cwd / Path(given).expanduser()).resolve() if given else cwd / DEFAULT_FOLDER


def new_run_id(label: str, now: datetime | None = None) -> str:
    """A name that sorts by time, tells what it is and never collides: ``20260131-093005-<label>-4f1a``."""
    stamp = (now or datetime.now(timezone.utc)).strftime("%Y%m%d-%H%M%S")
    slug = re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-")
    return f"{stamp}-{slug}-{secrets.token_hex(2)}"


@dataclass(frozen=True)
class StoredRecord:
    """A record with the file it was read from."""

    record: ResultRecord
    path: Path


@dataclass(frozen=True)
class ResultStore:
    """The results under one folder. Writing is atomic: a reader sees the whole record or none."""

    root: Path

    def folder(self, record_id: str) -> Path:
        """Where the record called ``record_id`` ("<run id>/<scenario>") and its logs live."""
        folder = (self.root / record_id).resolve()
        if self.root.resolve() not in folder.parents:
            raise RecordError(f"record id {record_id!r} leaves the results folder {self.root}")
        return folder

    def save(self, record: ResultRecord) -> Path:
        """Write the record into its folder and return the path of its file; OSError where that is impossible."""
        target = self.folder(record.id) / RESULT_FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, dumps(record))
        return target

    def load(self, record_id: str) -> ResultRecord:
        """Read one record; :class:`RecordError` where it is missing or unreadable."""
        return load_file(self.folder(record_id) / RESULT_FILE)

    def paths(self) -> list[Path]:
        """All result files, oldest run first; those of trainings are of another kind (cm4bench_trainings)."""
        return [path for path in sorted(self.root.glob(f"*/*/{RESULT_FILE}")) if not is_training(path)]

    def records(self) -> Iterator[StoredRecord]:
        """All records, oldest run first; :class:`RecordError` at the first unreadable one."""
        for path in self.paths():
            yield StoredRecord(load_file(path), path)


def is_training(path: Path) -> bool:
    """Whether a result file is a training's, which says so in its schema."""
    try:
        return b'"cm4bench-training/' in path.read_bytes()
    except OSError:
        return False


def load_file(path: Path) -> ResultRecord:
    """Read the record in ``path``; :class:`RecordError` where it is missing or unreadable."""
    try:
        return loads(path.read_bytes(), str(path))
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from None


def write_atomically(target: Path, text: str) -> None:
    """Replace ``target`` by ``text`` in one step; on any failure the old content stays and no scrap is left."""
    handle, scrap = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scrap).chmod(0o644)
        Path(scrap).replace(target)
    except BaseException:
        Path(scrap).unlink(missing_ok=True)
        raise
