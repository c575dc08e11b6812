"""Result records of benchmark runs and their readers: the store, the table, the HTML report.

Everything downstream of a run (table, report, comparison, submission) reads :class:`ResultRecord` and nothing else.
"""

from cm4bench_results.record import (
    SCHEMA_VERSION,
    DeviceTruth,
    Energy,
    Figure,
    FileHash,
    Host,
    LatencyProfile,
    LedgerEntry,
    LoadgenRun,
    Metric,
    Quality,
    RecordError,
    Request,
    ResultRecord,
    Subject,
    Validity,
    dumps,
    loads,
)
from cm4bench_results.store import ResultStore, default_results_dir

__all__ = [
    "SCHEMA_VERSION",
    "DeviceTruth",
    "Energy",
    "Figure",
    "FileHash",
    "Host",
    "LatencyProfile",
    "LedgerEntry",
    "LoadgenRun",
    "Metric",
    "Quality",
    "RecordError",
    "Request",
    "ResultRecord",
    "ResultStore",
    "Subject",
    "Validity",
    "default_results_dir",
    "dumps",
    "loads",
]
