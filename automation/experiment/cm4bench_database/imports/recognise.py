"""What a file or folder is, and the reader for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cm4bench_database.errors import DatabaseError
from cm4bench_database.imports import tables, training, tree
from cm4bench_database.imports.found import Found

FORMS = "a summary.csv, a list of results in JSON, a results tree (closed/, open/), training logs"


@dataclass(frozen=True)
class Options:
    """``round`` as ``v4.1``, where the material itself does not tell it."""

    round: str = ""


def read(path: Path, options: Options | None = None) -> Found:
    """Read whatever a path holds.

    Raises:
        DatabaseError: it is nothing that can be read; the message says what can.
    """
    round_ = (options or Options()).round
    if not path.exists():
        raise DatabaseError(f"there is no {path}", f"--from=PATH names {FORMS}")
    return _file(path, round_) if path.is_file() else _folder(path, round_)


def _file(path: Path, round_: str) -> Found:
    if path.suffix.lower() == ".csv":
        return tables.read_csv(path, round_)
    if path.suffix.lower() == ".json":
        return tables.read_json(path, round_)
    if training.is_log(path):
        return training.read(path, round_)
    raise DatabaseError(f"{path} is nothing that can be imported", f"--from=PATH names {FORMS}")


def _folder(path: Path, round_: str) -> Found:
    if tree.is_tree(path):
        return tree.read(path, round_)
    if (path / "summary.csv").is_file():
        return tables.read_csv(path / "summary.csv", round_)
    if _is_endpoints(path):
        return Found("MLPerf endpoints folder", [], [(str(path), tree.ENDPOINTS)])
    exported = _json_lists(path)
    if exported:
        return _joined(exported, round_)
    if next(training.logs_below(path), None) is not None:
        return training.read(path, round_)
    raise DatabaseError(f"{path} holds nothing that can be imported", f"--from=PATH names {FORMS}")


def _is_endpoints(path: Path) -> bool:
    """A result of the HTTP harness: a JSON summary where loadgen would have written its logs."""
    places = (path, path / "performance")
    return any((place / "result_summary.json").is_file() for place in places)


def _json_lists(path: Path) -> list[Path]:
    """Files of a cm4mlperf-results checkout: each experiment's folder has its results as one list."""
    patterns = (
        "cm-result*.json",
        "mlperf-inference-summary-*.json",
        "experiment/*/*/cm-result*.json",
        "*/*/cm-result*.json",
    )
    found = {one for pattern in patterns for one in path.glob(pattern) if one.is_file() and not one.is_symlink()}
    return sorted(found)


def _joined(paths: list[Path], round_: str) -> Found:
    joined = Found("JSON results")
    for path in paths:
        try:
            one = tables.read_json(path, round_)
        except DatabaseError as error:
            joined.set_aside.append((str(path), error.cause))
            continue
        joined.rows += one.rows
        joined.set_aside += one.set_aside
    return joined
