"""Files that must tell of one run do so: summary and detail log, measured run and accuracy run.

Upstream looks at none of this, so that a file copied from the wrong folder goes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlperf_checker.context import ResultFolder, Run
from mlperf_checker.detaillog import DetailLog
from mlperf_checker.layout import SUMMARY
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule

_FIELD = re.compile(r"^\s*([^:=\n]+?)\s*:\s*(.*?)\s*$", re.MULTILINE)

# a summary's words for what the detail log calls so; loadgen writes both in the same way
_BOTH = {
    "Scenario": "effective_scenario",
    "Mode": "effective_test_mode",
    "SUT name": "sut_name",
    "Result is": "result_validity",
    "min_duration (ms)": "effective_min_duration_ms",
    "qsl_rng_seed": "effective_qsl_rng_seed",
    "Max latency (ns)": "result_max_latency_ns",
    "Mean latency (ns)": "result_mean_latency_ns",
}


@rule("summary-mismatch", ResultFolder)
def summary_mismatch(result: ResultFolder) -> Iterable[Objection]:
    """The summary of the measured run tells of the same run as its detail log."""
    yield from matching_summary(result, result.performance)


@rule("accuracy-summary-mismatch", ResultFolder)
def accuracy_summary_mismatch(result: ResultFolder) -> Iterable[Objection]:
    """The summary of the accuracy run is no other run's."""
    path = result.accuracy.path / SUMMARY
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable):
        if not text.missing:
            yield Objection(path, text.why, "copy it from the run's folder again")
    elif "Result is" in text:
        yield Objection(path, "this is the summary of a performance run", "put the accuracy run's summary here")


def matching_summary(result: ResultFolder, run: Run) -> Iterable[Objection]:
    """Figures of the summary are those of the detail log."""
    path = run.path / SUMMARY
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable):
        if not text.missing:
            yield Objection(path, text.why, "copy it from the run's folder again")
        return
    if isinstance(run.log, Unreadable) or not run.log.finished or not text:
        return
    different = _differences(text, run.log)
    if different:
        cause = f"the summary is of another run than the detail log beside it: {different[0]}"
        yield Objection(path, cause, "put the files of one run here")


def _differences(summary: str, log: DetailLog) -> list[str]:
    # in MultiStream the summary gives latencies of queries, the log's keys are of samples
    skip = "latency (ns)" if log.scenario == "MultiStream" else "\n"
    said = {name: value for name, value in _FIELD.findall(summary) if name in _BOTH and skip not in name}
    pairs = ((name, value, log.text(_BOTH[name])) for name, value in said.items() if _BOTH[name] in log.values)
    return [f"{name} is {value} and {logged}" for name, value, logged in pairs if value != logged]


@rule("accuracy-scenario", ResultFolder)
def accuracy_scenario(result: ResultFolder) -> Iterable[Objection]:
    """The accuracy run was made in the scenario of the measured run."""
    measured, accuracy = result.performance.log, result.accuracy.log
    if isinstance(measured, Unreadable) or isinstance(accuracy, Unreadable) or result.is_endpoints:
        return
    if measured.scenario and accuracy.scenario and measured.scenario != accuracy.scenario:
        cause = f"the accuracy run is of {accuracy.scenario}, the measured run of {measured.scenario}"
        yield Objection(result.accuracy.log_path, cause, f"put the log of a {measured.scenario} accuracy run here")


@rule("accuracy-sut", ResultFolder)
def accuracy_sut(result: ResultFolder) -> Iterable[Objection]:
    """Both runs name the same SUT and the same set of samples."""
    measured, accuracy = result.performance.log, result.accuracy.log
    if isinstance(measured, Unreadable) or isinstance(accuracy, Unreadable):
        return
    for key, what in (("sut_name", "SUT"), ("qsl_name", "sample library"), ("loadgen_version", "version of loadgen")):
        here, there = accuracy.text(key), measured.text(key)
        if here and there and here != there:
            cause = f"the {what} of the accuracy run is {here!r}, of the measured run {there!r}"
            remedy = "put the accuracy log of the measured system here"
            yield Objection(result.accuracy.log_path, cause, remedy, severity="warning")


@rule("accuracy-seeds", ResultFolder)
def accuracy_seeds(result: ResultFolder) -> Iterable[Objection]:
    """Both runs had the same seeds; other ones are another round's."""
    measured, accuracy = result.performance.log, result.accuracy.log
    if isinstance(measured, Unreadable) or isinstance(accuracy, Unreadable):
        return
    key = "effective_qsl_rng_seed"
    if accuracy.get(key) != measured.get(key) and accuracy.get(key) is not None and measured.get(key) is not None:
        cause = f"qsl_rng_seed of the accuracy run is {accuracy.get(key)}, of the measured run {measured.get(key)}"
        remedy = "make both runs with the same loadgen"
        yield Objection(result.accuracy.log_path, cause, remedy, severity="warning")
