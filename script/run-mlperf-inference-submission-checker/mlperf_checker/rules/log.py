"""Folders of runs, and what loadgen itself says about them."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_checker.context import ResultFolder, Run
from mlperf_checker.layout import ACCURACY_FILES, IGNORED_FILES, PERFORMANCE_FILES, POWER_RUN_FILES, SUMMARY, FileList
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule

_AGAIN = "copy it from the run's folder again, or run again"

# What reading an audit.config by hand leaves in a compliance test's log; upstream lets it pass there.
AUDIT_ERROR = "Multiple conf files are used"


@rule("performance-files", ResultFolder)
def performance_files(result: ResultFolder) -> Iterable[Objection]:
    """performance/run_1 holds loadgen's logs and nothing else."""
    if not result.is_endpoints:
        wanted = POWER_RUN_FILES if result.has_power else PERFORMANCE_FILES
        yield from listed(result, result.performance.path, wanted)


@rule("accuracy-files", ResultFolder)
def accuracy_files(result: ResultFolder) -> Iterable[Objection]:
    """accuracy holds loadgen's logs and the score, and nothing else."""
    if not result.is_endpoints:
        yield from listed(result, result.accuracy.path, ACCURACY_FILES)


def listed(result: ResultFolder, path: object, wanted: FileList) -> Iterable[Objection]:
    """A folder has the files that it must have, and no others."""
    folder = result.submission.tree.at(str(path))
    if folder is None:
        yield Objection(str(path), "the folder is missing", f"add it, with {', '.join(wanted.required)}")
        return
    for name in wanted.required:
        if name not in folder.files:
            yield Objection(folder.name_of(name), "the file is missing", _AGAIN)
    for name in folder.files:
        if name not in (*wanted.required, *wanted.optional, *IGNORED_FILES):
            yield Objection(folder.name_of(name), "this file does not belong here", "remove it")


@rule("performance-log", ResultFolder)
def performance_log(result: ResultFolder) -> Iterable[Objection]:
    """The measured run's log is loadgen's, whole, and of a finished performance run."""
    if not result.is_endpoints:
        yield from whole(result.performance, "PerformanceOnly")


@rule("accuracy-log", ResultFolder)
def accuracy_log(result: ResultFolder) -> Iterable[Objection]:
    """The accuracy run's log is loadgen's, whole, and of a finished accuracy run."""
    if not result.is_endpoints:
        yield from whole(result.accuracy, "AccuracyOnly")


def whole(run: Run, mode: str) -> Iterable[Objection]:
    """A log that can be relied on."""
    if isinstance(run.log, Unreadable):
        if not run.log.missing:
            yield Objection(run.log_path, f"the detail log of the {run.kind}: {run.log.why}", _AGAIN)
    elif run.log.foreign or not run.log.values:
        yield Objection(run.log_path, "this is no detail log of loadgen", _AGAIN)
    elif run.log.damaged:
        lines = ", ".join(map(str, run.log.damaged[:5])) + (" …" if len(run.log.damaged) > 5 else "")
        yield Objection(run.log_path, f"lines that are no log entries: {lines}", _AGAIN)
    elif not run.log.finished:
        yield Objection(run.log_path, "the log ends before the run did", "run again; the run was killed or crashed")
    elif run.log.text("effective_test_mode") not in (mode, "SubmissionRun"):
        said = run.log.text("effective_test_mode") or "nothing"
        yield Objection(
            run.log_path, f"the log says mode {said!r}, this is the place of {mode}", "put the right log here"
        )


@rule("loadgen-errors", ResultFolder)
def loadgen_errors(result: ResultFolder) -> Iterable[Objection]:
    """loadgen reported no errors in the measured run. Upstream lets them pass since v6.0; we do not."""
    yield from without_errors(result.performance)


@rule("accuracy-loadgen-errors", ResultFolder)
def accuracy_loadgen_errors(result: ResultFolder) -> Iterable[Objection]:
    """loadgen reported no errors in the accuracy run."""
    yield from without_errors(result.accuracy)


def without_errors(run: Run, tolerated: str = "") -> Iterable[Objection]:
    """A run in which loadgen found nothing wrong."""
    if isinstance(run.log, Unreadable) or not run.log.num_errors:
        return
    if tolerated and run.log.errors and all(tolerated in one for one in run.log.errors):
        return
    first = f", the first: {run.log.errors[0].strip()[:160]!r}" if run.log.errors else ""
    number = run.log.num_errors
    cause = f"loadgen reported {number} error{'s' * (number > 1)} in the {run.kind}{first}"
    yield Objection(run.log_path, cause, "mend the cause and run again")


@rule("result-invalid", ResultFolder)
def result_invalid(result: ResultFolder) -> Iterable[Objection]:
    """loadgen found the measured run valid. Upstream lets INVALID pass since v6.0; we do not."""
    yield from valid(result.performance)


def valid(run: Run) -> Iterable[Objection]:
    """A run that loadgen found valid."""
    if isinstance(run.log, Unreadable) or run.log.foreign or not run.log.finished:
        return
    said = run.log.text("result_validity")
    if said != "VALID" and run.log.text("effective_test_mode") == "PerformanceOnly":
        reason = run.log.text("result_invalid_reason") or _unmet(run)
        cause = f"loadgen says the {run.kind} is {said or 'without a verdict'}{f' ({reason})' if reason else ''}"
        yield Objection(run.log_path, cause, "run again with a target that the system reaches")


def _unmet(run: Run) -> str:
    assert not isinstance(run.log, Unreadable)
    conditions = {
        "result_perf_constraints_met": "the latency limit was missed",
        "result_min_duration_met": "it was too short",
        "result_min_queries_met": "there were too few queries",
        "early_stopping_met": "early stopping was not met",
    }
    log = run.log
    return ", ".join(text for key, text in conditions.items() if log.get(key) is False)


@rule("summary-empty", ResultFolder)
def summary_empty(result: ResultFolder) -> Iterable[Objection]:
    """The summary of the measured run is not empty."""
    path = result.performance.path / SUMMARY
    if result.submission.tree.size(path) == 0:
        yield Objection(path, "the file is empty", _AGAIN)


@rule("endpoints", ResultFolder)
def endpoints(result: ResultFolder) -> Iterable[Objection]:
    """A result of the HTTP harness, since v6.1: its files are others, and its rules are not here."""
    if result.is_endpoints:
        cause = "this was measured with the endpoints harness, whose results this checker does not read"
        yield Objection(result.path, cause, "give --upstream=CHECKOUT, which has upstream's checker read it")
