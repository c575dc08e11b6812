"""Training results: `result_*.txt` with mllog lines, alone or in a tree `SUBMITTER/results/SYSTEM/BENCHMARK/`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cm4bench_database.errors import DatabaseError
from cm4bench_database.imports.found import Found
from cm4bench_database.row import Row

MARK = ":::MLLOG"
_OPENING = ("submission_benchmark", "cache_clear", "init_start", "run_start")
_MAX_BYTES = 256 << 20
_MS_PER_MINUTE = 60_000
_TOLD = ("submission_benchmark", "submission_org", "submission_division", "submission_platform", "submission_status")


def is_log(path: Path) -> bool:
    """Whether a file begins like a training log: loadgen marks its lines alike, but knows none of these keys."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = [line for line, _ in zip(file, range(400), strict=False) if MARK in line]
    except OSError:
        return False
    return any(f'"{key}"' in line for line in head for key in _OPENING)


def logs_below(folder: Path) -> Iterator[Path]:
    """Training logs of a tree, without following links."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith("result_") and name.endswith(".txt") and not path.is_symlink() and is_log(path):
                yield path


def read(path: Path, round_: str = "") -> Found:
    """One log, or all logs below a folder. Each is one row: a score is made of several, which is not done here.

    Raises:
        DatabaseError: there is no training log.
    """
    found = Found("training logs")
    for log in [path] if path.is_file() else logs_below(path):
        row = _row(log, path, round_)
        if isinstance(row, str):
            found.set_aside.append((str(log), row))
        else:
            found.rows.append(row)
    if not (found.rows or found.set_aside):
        raise DatabaseError(f"{path} has no training log", "name a result_0.txt, or a folder with such files")
    return found


def _row(log: Path, root: Path, round_: str) -> Row | str:
    if log.stat().st_size > _MAX_BYTES:
        return f"it has {log.stat().st_size:,} bytes, too many for a log"
    first, last = _values(log.read_text(encoding="utf-8", errors="replace"))
    begin, end = first.get("run_start"), last.get("run_stop")
    if begin is None or end is None:
        return f"it has no {'run_start' if begin is None else 'run_stop'}: the run did not end"
    told = {key: str((first.get(key) or {}).get("value") or "") for key in _TOLD}
    status = str((end.get("metadata") or {}).get("status") or "")
    reached = (last.get("eval_accuracy") or {}).get("value")
    name = log.name if root.is_file() else str(log.relative_to(root))
    return Row(
        id="/".join(("training", round_, told["submission_org"], name)),
        source="official",
        organization=told["submission_org"],
        submitter=told["submission_org"],
        division=told["submission_division"],
        availability=told["submission_status"],
        category="training",
        round=round_,
        system=told["submission_platform"],
        platform=told["submission_platform"],
        model=told["submission_benchmark"],
        benchmark=told["submission_benchmark"],
        scenario="Training",
        mode="training",
        tier="full",
        batch_size=_whole((first.get("global_batch_size") or {}).get("value")),
        metric="time to train, one run",
        unit="min",
        value=(end["time_ms"] - begin["time_ms"]) / _MS_PER_MINUTE,
        better="lower",
        accuracy=float(reached) if isinstance(reached, int | float) else None,
        accuracy_metric="eval_accuracy" if isinstance(reached, int | float) else "",
        valid=status == "success",
    )


def _values(text: str) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """First and last entry of each key."""
    first: dict[str, dict[str, Any]] = {}
    last: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        _, mark, body = line.partition(MARK)
        entry = _entry(body) if mark else None
        if entry:
            first.setdefault(entry["key"], entry)
            last[entry["key"]] = entry
    return first, last


def _entry(body: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return None
    known = isinstance(entry, dict) and isinstance(entry.get("key"), str)
    return entry if known and isinstance(entry.get("time_ms"), int | float) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
