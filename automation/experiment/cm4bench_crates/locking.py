"""The lock of a result: the one it was given, the one beside it, or one made now from what was typed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench.tools.lockfile import Lock, LockError, read_lock
from cm4bench_crates.errors import CrateError
from cm4bench_crates.layout import LOCK
from cm4bench_crates.selection import Chosen

SCRIPT = "script,5b4e0237da074764"


@dataclass(frozen=True)
class Found:
    """A lock and where it comes from; ``late`` means that it was made at capture and not with the run."""

    lock: Lock
    content: bytes
    origin: str
    late: bool = False


def lock_of(cm: Any, chosen: Chosen, given: str) -> Found:
    """The lock to pack with a result.

    Raises:
        CrateError: it cannot be read, or none can be made.
    """
    beside = chosen.folder / LOCK
    if given:
        return _read(Path(given).expanduser(), "given by --lock")
    if beside.is_file():
        return _read(beside, "kept beside the result")
    _make(cm, chosen, beside)
    return _read(beside, "made when the result was packed, from what had been typed", late=True)


def _read(path: Path, origin: str, *, late: bool = False) -> Found:
    try:
        return Found(read_lock(path), path.read_bytes(), origin, late)
    except LockError as error:
        raise CrateError(error.cause, error.hint or "") from None


def _make(cm: Any, chosen: Chosen, target: Path) -> None:
    """Plan what was typed, and keep its lock beside the result, so that a second packing finds the same."""
    from cmind.cli import parse

    argv = chosen.records[0].record.request.argv
    if not argv:
        raise CrateError("the record does not say what was typed, and there is no lock", "--lock=FILE names one")
    parsed = parse(["run", "script", *_without_verb(argv)])
    with tempfile.TemporaryDirectory(prefix="cm4bench-lock-") as folder:
        made = Path(folder) / LOCK
        asked = {**parsed.get("cm_input", {}), "automation": SCRIPT, "plan": True, "lock": str(made), "out": ""}
        answer = cm.access(asked)
        if answer["return"]:
            cause = answer.get("cm4bench", {}).get("cause") or answer.get("error", "")
            raise CrateError(f"no lock can be made of what was typed: {cause}", "--lock=FILE names one")
        content = made.read_bytes()
    try:
        target.write_bytes(content)
    except OSError as error:
        raise CrateError(f"{target} cannot be written: {error.strerror}", "--lock=FILE names a lock") from None


def _without_verb(argv: Sequence[str]) -> Sequence[str]:
    """`cm run script …` is `cmr …`."""
    return argv[2:] if tuple(argv[:2]) == ("run", "script") else argv
