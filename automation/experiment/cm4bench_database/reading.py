"""One file into rows, or into the reason why it is set aside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cm4bench_database import ownrecords, trainings
from cm4bench_database.imported import Imported
from cm4bench_database.row import Row
from cm4bench_database.scan import IMPORT_SUFFIX
from cm4bench_results.record import RecordError, loads
from cm4bench_trainings.record import TrainingError, is_training

LOCK_FILE = "lock.json"
# A record of ours has some 100 kB; anything of this size is none.
_MAX_BYTES = 64 << 20
_MAX_LOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class Read:
    """What a file gave. ``trouble`` says why it gave no rows; ``lock`` is the text of the lock beside it."""

    rows: tuple[Row, ...] = ()
    trouble: str = ""
    sha256: str = ""
    lock: str = ""
    lock_sha256: str = ""


def read(path: Path) -> Read:
    """Read a record or an import. Never raises for what is in the file."""
    is_import = path.name.endswith(IMPORT_SUFFIX)
    try:
        if not is_import and path.stat().st_size > _MAX_BYTES:
            return Read(trouble=f"it has {path.stat().st_size:,} bytes, too many for a record")
        content = path.read_bytes()
    except OSError as error:
        return Read(trouble=f"it cannot be read: {error.strerror or error}")
    sha256 = hashlib.sha256(content).hexdigest()
    return _imported(content, sha256) if is_import else _own(path, content, sha256)


def _imported(content: bytes, sha256: str) -> Read:
    try:
        return Read(msgspec.json.decode(content, type=Imported).rows, sha256=sha256)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Read(trouble=f"it is no import: {error}", sha256=sha256)


def _own(path: Path, content: bytes, sha256: str) -> Read:
    try:
        rows = list(trainings.rows(content, path) if is_training(content) else ownrecords.rows(loads(content, "it")))
    except (RecordError, TrainingError, UnicodeDecodeError, RecursionError) as error:
        return Read(trouble=str(error), sha256=sha256)
    lock, lock_sha256 = _lock(path)
    marks = {"path": str(path), "sha256": sha256, "lock_sha256": lock_sha256}
    return Read(tuple(msgspec.structs.replace(row, **marks) for row in rows), "", sha256, lock, lock_sha256)


def _lock(record: Path) -> tuple[str, str]:
    """The lock beside the record or in its run's folder, as text and hash; empty where there is none."""
    for folder in (record.parent, record.parent.parent):
        path = folder / LOCK_FILE
        try:
            if path.is_file() and path.stat().st_size <= _MAX_LOCK_BYTES:
                content = path.read_bytes()
                msgspec.json.decode(content)
                return content.decode(), hashlib.sha256(content).hexdigest()
        except (OSError, ValueError, RecursionError):
            continue
    return "", ""
