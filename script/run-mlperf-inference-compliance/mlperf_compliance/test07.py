"""TEST07: while performance is measured, the answers still reach a score."""

from __future__ import annotations

from mlperf_compliance import answers, scores
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Check, Verdict, report

FILE = "verify_accuracy.txt"


def verify(case: Case) -> Verdict:
    """Score the answers of the compliance run; raises HarnessError for a log that cannot be read."""
    answered, metric = len(answers.read(case.compliance)), case.benchmark.targets(case.scenario)[0].metric
    if case.scorer is None:
        advice = '--accuracy_script="python3 SCRIPT --mlperf-log {accuracy_log}"'
        check = Check(metric, False, f"{answered} answers that nothing can score here", advice)
        return Verdict("TEST07", (check,), {FILE: report("TEST07, score", (check,))})
    printed = case.scorer(case.compliance)
    check = _judge(case, metric, scores.find(metric, printed), answered)
    return Verdict("TEST07", (check,), {FILE: printed.rstrip() + "\n" + report("TEST07, score", (check,))})


def _judge(case: Case, metric: str, score: float | None, answered: int) -> Check:
    least = case.audit.at_least or 0.0
    if score is None:
        return Check(metric, False, "the accuracy script does not print it", "it must print it as the checker wants it")
    said = f"{score:g} over {answered} answers, at least {least:g} is needed"
    return Check(metric, score >= least, said, "does the performance run generate with the rules' settings?")
