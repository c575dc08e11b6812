"""HTML reports of the results folders: found, handed out in a cage, written when the token allows it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cm4bench_gui.access import WriteToken

REPORT = "report.html"
# A report may come from elsewhere: it gets an origin of its own, and no network.
POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'none'"
)


class ReportError(ValueError):
    """A report that cannot be written; the message says why."""


@dataclass(frozen=True)
class ReportFile:
    """A report on disk. ``key`` stands for its path in addresses; ``written`` in seconds since 1970."""

    key: str
    path: Path
    written: float
    size: int


def find_reports(folders: Iterable[str]) -> list[ReportFile]:
    """Reports of the folders and of the runs in them, newest first."""
    paths = {
        path.resolve() for folder in folders for pattern in (REPORT, f"*/{REPORT}") for path in _glob(folder, pattern)
    }
    return sorted(map(_report, paths), key=lambda one: -one.written)


def report_of(folders: Iterable[str], key: str) -> ReportFile | None:
    """The report with this key; an address never names a path."""
    return next((one for one in find_reports(folders) if one.key == key), None)


def write_report(folder: str, given: str, token: WriteToken) -> Path:
    """Write the report of all readable records of ``folder`` into it.

    Raises:
        ReportError: the token is wrong, there is nothing to report, or it cannot be written.
    """
    from cm4bench_results import RecordError, ResultStore
    from cm4bench_results.html import write_report as write
    from cm4bench_results.store import load_file

    if not token.admits(given):
        raise ReportError("that is not the token: it stands in the terminal where the app was started")
    records = []
    for path in ResultStore(Path(folder)).paths():
        try:
            records.append(load_file(path))
        except RecordError:
            continue  # named on the page of results
    if not records:
        raise ReportError(f"no results in {folder}")
    try:
        return write(records, Path(folder) / REPORT)
    except OSError as error:
        raise ReportError(f"{folder} cannot be written: {error.strerror or error}") from None


def _glob(folder: str, pattern: str) -> list[Path]:
    try:
        return [path for path in Path(folder).glob(pattern) if path.is_file()]
    except OSError:
        return []


def _report(path: Path) -> ReportFile:
    status = path.stat()
    return ReportFile(hashlib.sha256(str(path).encode()).hexdigest()[:16], path, status.st_mtime, status.st_size)
