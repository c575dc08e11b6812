"""Repeat a measured run under audit.config, judge it, and write what a submission has of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness import audit, logs, supervise
from harness.errors import HarnessError
from harness.outcome import Outcome
from mlperf_compliance import writing
from mlperf_compliance.case import Case
from mlperf_compliance.scoring import dtype_of, scorer_for
from mlperf_compliance.subjects import Subject
from mlperf_compliance.suite import ON_OTHER_DATA, TIMED, verify
from mlperf_compliance.verdict import Verdict

FOLDER = "compliance"  # of the runs as the harness leaves them, beside performance and accuracy
# loadgen may find the hundred queries of a short test too few for its verdict; their answers count all the same.
_TOLERATED = ("invalid",)


@dataclass(frozen=True)
class Options:
    """What the user may choose; empty means that the task decides."""

    dtype: str = ""
    accuracy_script: str = ""
    eos_token_id: int | None = None


def conduct(subject: Subject, test: str, options: Options) -> Verdict:
    """Run one test and write `<scenario>/TESTxx`.

    Raises:
        HarnessError: for a test that the benchmark does not need, and for a run that failed.
    """
    parameters = subject.round.audit(subject.benchmark.name, test)
    if test in ON_OTHER_DATA:
        cause = f"{test} of {subject.benchmark.name} runs on a data set of its own, not on that of the measured run"
        raise HarnessError("config", cause, f"make that run, then: python -m mlperf_compliance verify {test} …")
    if options.eos_token_id is not None:
        parameters = msgspec.structs.replace(parameters, eos_token_id=options.eos_token_id)
    place = subject.folder / FOLDER / test
    case = Case(
        test=test,
        benchmark=subject.benchmark,
        scenario=subject.config.scenario,
        audit=parameters,
        performance=subject.performance,
        accuracy=subject.accuracy,
        compliance=place / "run_1",
        dtype=options.dtype or dtype_of(subject.config),
        scorer=scorer_for(subject.config, options.accuracy_script),
    )
    if test in ("TEST01", "TEST08"):
        case.require_accuracy()  # before minutes are spent
    _run(subject, case, place)
    verdict = verify(case)
    writing.write(verdict, case.compliance, subject.folder / test)
    writing.note(verdict, place)
    return verdict


def _run(subject: Subject, case: Case, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    file = place / audit.FILE_NAME
    file.write_text(audit.render(case.audit))
    own_conf = subject.performance / "user.conf"
    outcome = supervise.run(
        msgspec.structs.replace(
            subject.config,
            output_dir=str(case.compliance),
            audit_config=str(file),
            user_conf=str(own_conf) if own_conf.is_file() else subject.config.user_conf,
            ledger=False,
        )
    )
    _require_run(outcome, case)


def _require_run(outcome: Outcome, case: Case) -> None:
    failure = outcome.failure
    if failure is None or (case.test not in TIMED and failure.kind in _TOLERATED):
        return
    if failure.kind in ("invalid", "loadgen-errors") and (case.compliance / logs.DETAIL).is_file():
        return  # the verdict says it
    raise HarnessError(failure.kind, f"{case.test} of {case.scenario}: {failure.cause}", failure.hint)
