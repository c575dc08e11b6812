"""The accuracy run: its log, what it covered, what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_checker.context import ResultFolder
from mlperf_checker.findings import severity
from mlperf_checker.layout import ACCURACY_LOG
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule

_EXAMPLE_FILES = 3


@rule("accuracy-log-size", ResultFolder)
def accuracy_log_size(result: ResultFolder) -> Iterable[Objection]:
    """The log of responses is truncated, and not empty."""
    path = result.accuracy.path / ACCURACY_LOG
    size, limit = result.submission.tree.size(path), result.submission.layout.max_accuracy_log_bytes
    remedy = 'cmr "truncate mlperf inference accuracy log" shortens it and keeps the original'
    if size is not None and size > limit:
        # until v4.1 upstream took it in the open division
        severe = result.is_closed or result.submission.is_since("v5.0")
        cause = f"the log has {size} bytes, {limit} are allowed"
        yield Objection(path, cause, remedy, severity=severity(severe=severe))
    elif size == 0:
        yield Objection(path, "the log is empty", "copy it from the run's folder again, then truncate it")


@rule("accuracy-samples", ResultFolder)
def accuracy_samples(result: ResultFolder) -> Iterable[Objection]:
    """The accuracy run covered the whole set. A remark until v4.1, when upstream did not look."""
    log, benchmark = result.accuracy.log, result.benchmark
    if isinstance(log, Unreadable) or benchmark is None or result.scenario is None or result.is_endpoints:
        return
    covered = log.number("effective_accuracy_sample_count")
    if covered is None:
        covered = log.number("qsl_reported_total_count")
    needed = benchmark.accuracy_samples(result.scenario)
    if covered != needed:
        said = "an unknown number of" if covered is None else f"{covered:g}"
        cause = f"the accuracy run covered {said} samples, {benchmark.name} has {needed}"
        weight = severity(severe=result.submission.is_since("v5.0"))
        remedy = "run the accuracy mode over the whole data set"
        yield Objection(result.accuracy.log_path, cause, remedy, severity=weight)


@rule("accuracy-extra-files", ResultFolder)
def accuracy_extra_files(result: ResultFolder) -> Iterable[Objection]:
    """Benchmarks that make pictures or films: the asked-for ones lie beside the score."""
    if result.benchmark is None:
        return
    for name, wanted in result.benchmark.accuracy_files.items():
        path = result.accuracy.path / name
        folder = result.submission.tree.at(path)
        have = {one.partition(".")[0] for one in folder.files} if folder else set()
        missing = [one for one in wanted if one not in have]
        if missing:
            more = " …" if len(missing) > _EXAMPLE_FILES else ""
            cause = f"{len(missing)} of the {len(wanted)} asked-for files are missing: "
            remedy = f"add those that the accuracy run made: {', '.join(wanted)}"
            severe = result.is_closed or result.submission.is_since("v5.0")
            what = cause + ", ".join(missing[:_EXAMPLE_FILES]) + more
            yield Objection(path, what, remedy, severity=severity(severe=severe))
