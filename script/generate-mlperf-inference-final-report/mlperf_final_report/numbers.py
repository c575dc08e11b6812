"""Numbers of lines, kept in a file so that a line keeps its number when others come or go."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mlperf_final_report.results import TableError


def numbered(keys: Iterable[str], path: Path, version: str) -> dict[str, str]:
    """`v6.1-0001` and so on for each key; new keys follow the highest number that was ever given.

    Raises:
        TableError: the file is there and is no list of numbers.
    """
    known = _known(path)
    for key in keys:
        known.setdefault(key, max(known.values(), default=0) + 1)
    path.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return {key: f"{version.removeprefix('v')}-{number:04}" for key, number in known.items()}


def _known(path: Path) -> dict[str, int]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): int(value) for key, value in found.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise TableError(f"{path} is no list of numbers: {error}", "remove it; all lines get new numbers") from error
