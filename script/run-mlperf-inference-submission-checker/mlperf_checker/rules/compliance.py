"""Compliance tests, in the closed and network divisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlperf_checker.context import ResultFolder, Run
from mlperf_checker.layout import (
    PERFORMANCE_FILES,
    TEST01_ACCURACY_FILES,
    TESTS_WITH_PERFORMANCE,
    VERIFICATIONS,
)
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule
from mlperf_checker.rules.latency import stopped_early, within_limit
from mlperf_checker.rules.log import AUDIT_ERROR, listed, valid, whole, without_errors
from mlperf_checker.rules.performance import (
    enough_queries,
    enough_samples,
    large_query,
    long_enough,
    right_seeds,
)
from mlperf_checker.rules.same_run import matching_summary
from mlperf_checker.scores import last_scores

PASSED = "TEST PASS"
_TEST06_CHECKS = ("First token check pass", "EOS check pass", "Sample length check pass")


@dataclass(frozen=True)
class Test05Seeds:
    """Seeds of TEST05, which was dropped after v4.1."""

    qsl_rng_seed: int = 16799458546791641818
    sample_index_rng_seed: int = 5453809927556429288
    schedule_rng_seed: int = 5435552105434836064


def tests(result: ResultFolder) -> tuple[str, ...]:
    """The tests that a result needs, none in the open division."""
    if result.benchmark is None or not result.is_closed or result.is_endpoints:
        return ()
    wanted = tuple(result.benchmark.compliance)
    had_test05 = "TEST01" in wanted and result.benchmark.name != "stable-diffusion-xl"
    return (*wanted, "TEST05") if had_test05 and not result.submission.is_since("v5.0") else wanted


def _present(result: ResultFolder) -> Iterator[str]:
    return (one for one in tests(result) if result.submission.tree.at(result.test_folder(one)) is not None)


def _performance_runs(result: ResultFolder) -> Iterator[tuple[str, Run]]:
    # Until v5.0 upstream looked at no performance run where TEST06 was among the tests.
    return ((one, result.test_run(one)) for one in _present(result) if one in TESTS_WITH_PERFORMANCE)


@rule("compliance-missing", ResultFolder)
def compliance_missing(result: ResultFolder) -> Iterable[Objection]:
    """All tests of the benchmark were made."""
    for test in tests(result):
        if result.submission.tree.at(result.test_folder(test)) is None:
            assert result.benchmark is not None
            cause = f"{result.benchmark.name} needs {test} in the {result.submitter.division} division"
            remedy = f'cmr "run mlperf inference compliance" --result_dir=RUN --test={test}, and pack again'
            yield Objection(result.test_folder(test), cause, remedy)


@rule("compliance-files", ResultFolder)
def compliance_files(result: ResultFolder) -> Iterable[Objection]:
    """Each test has its verification and its logs."""
    for test in _present(result):
        for name in VERIFICATIONS[test]:
            path = result.test_folder(test) / name
            if not result.submission.tree.has_file(path):
                yield Objection(path, f"the verification of {test} is missing", "run the test's verification again")
        if test in TESTS_WITH_PERFORMANCE:
            yield from listed(result, result.test_run(test).path, PERFORMANCE_FILES)


@rule("compliance-failed", ResultFolder)
def compliance_failed(result: ResultFolder) -> Iterable[Objection]:
    """Each verification says that the test was passed."""
    for test in _present(result):
        for name in VERIFICATIONS[test]:
            if (test, name) != ("TEST01", "verify_accuracy.txt"):
                yield from _verified(result, test, name)


def _verified(result: ResultFolder, test: str, name: str) -> Iterator[Objection]:
    path = result.test_folder(test) / name
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable):
        if not text.missing:
            yield Objection(path, text.why, "run the test's verification again")
        return
    lines = {line.strip() for line in text.splitlines()}
    if test == "TEST06":
        missed = [one for one in _TEST06_CHECKS if not lines & {f"{one}: True", _skipped(one)}]
    else:
        missed = [] if PASSED in text else [f"{PASSED!r} is not in it"]
    if missed:
        yield Objection(path, f"{test} was not passed: {', '.join(missed)}", "mend what the test found, run it again")


def _skipped(check: str) -> str:
    return f"{check}: Skipped" if check.startswith("First token") else f"{check}: True"


@rule("compliance-accuracy", ResultFolder)
def compliance_accuracy(result: ResultFolder) -> Iterable[Objection]:
    """TEST01: responses are the same as in the accuracy run, or the scores of both are close."""
    if "TEST01" not in tuple(_present(result)):
        return
    path = result.test_folder("TEST01") / "verify_accuracy.txt"
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable):
        if not text.missing:
            yield Objection(path, text.why, "run the test's verification again")
        return
    folder = result.test_folder("TEST01") / "accuracy"
    yield from listed(result, folder, TEST01_ACCURACY_FILES)
    if PASSED not in text:
        yield from _close_scores(result)


def _close_scores(result: ResultFolder) -> Iterator[Objection]:
    assert result.benchmark is not None
    assert result.scenario is not None
    folder = result.test_folder("TEST01") / "accuracy"
    targets = result.benchmark.targets(result.scenario)
    found: list[dict[str, float]] = []
    for name in ("baseline_accuracy.txt", "compliance_accuracy.txt"):
        text = result.submission.files.text(folder / name)
        if isinstance(text, Unreadable):
            cause = f"TEST01 found other responses than the accuracy run, and this score is needed: {text.why}"
            yield Objection(folder / name, cause, "run the accuracy script on both logs, as the test's README says")
            return
        found.append(last_scores(text, tuple(one.metric for one in targets)))
    baseline, compliance = found
    for one in targets:
        before, after = baseline.get(one.metric, 0.0), compliance.get(one.metric, 0.0)
        allowed = one.drift_percent or (0.1 if "99.9" in result.benchmark.name else 1.0)
        drift = abs(1 - before / after) * 100 if before and after else None
        if drift is None or drift > allowed:
            said = "is missing from one of the scores" if drift is None else f"differs by {drift:.3g} %"
            cause = f"TEST01: {one.metric} {said}, up to {allowed:g} % is allowed"
            yield Objection(folder, cause, "find out why responses differ between the modes, run the test again")


@rule("compliance-log", ResultFolder)
def compliance_log(result: ResultFolder) -> Iterable[Objection]:
    """The logs of the tests' performance runs are whole, valid and without errors."""
    for _, run in _performance_runs(result):
        yield from whole(run, "PerformanceOnly")
        yield from valid(run)
        yield from without_errors(run, tolerated=AUDIT_ERROR)
        yield from matching_summary(result, run)


@rule("compliance-settings", ResultFolder)
def compliance_settings(result: ResultFolder) -> Iterable[Objection]:
    """The tests' performance runs had the settings of a measured run."""
    for test, run in _performance_runs(result):
        yield from right_seeds(result, run, Test05Seeds() if test == "TEST05" else None)
        yield from enough_samples(result, run)
        yield from long_enough(result, run)
        yield from enough_queries(result, run)
        yield from large_query(result, run)
        yield from within_limit(result, run)
        if result.submission.is_since("v5.0"):
            yield from stopped_early(result, run)


@rule("compliance-scenario", ResultFolder)
def compliance_scenario(result: ResultFolder) -> Iterable[Objection]:
    """The tests were made in the scenario of the measured run."""
    measured = result.performance.log
    if isinstance(measured, Unreadable):
        return
    for test, run in _performance_runs(result):
        if not isinstance(run.log, Unreadable) and run.log.scenario not in ("", measured.scenario):
            cause = f"{test} was made in {run.log.scenario}, the measured run in {measured.scenario}"
            yield Objection(run.log_path, cause, f"run {test} in {measured.scenario}")


@rule("compliance-audit", ResultFolder)
def compliance_audit(result: ResultFolder) -> Iterable[Objection]:
    """The tests' logs show that loadgen took the test's audit.config."""
    for test, run in _performance_runs(result):
        if isinstance(run.log, Unreadable) or not run.log.finished:
            continue
        taken = {
            "TEST01": bool(run.log.number("effective_accuracy_log_rng_seed")),
            "TEST04": run.log.get("effective_performance_issue_same") is True,
        }
        if not taken.get(test, True):
            cause = f"this is no run of {test}: loadgen did not take its audit.config"
            yield Objection(run.log_path, cause, f"put {test}'s audit.config into the folder that the run starts in")
