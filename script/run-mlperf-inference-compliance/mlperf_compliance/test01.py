"""TEST01: the answers given while performance is measured are those of the accuracy run.

The first value of each sampled answer is compared, as upstream does. Where computing is not deterministic that may
fail; then both sets of answers are scored, and the scores may differ by the drift that the round allows.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from harness.errors import HarnessError
from harness.logs import ACCURACY
from mlperf_compliance import answers, performance, scores
from mlperf_compliance.answers import Answer
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Check, Verdict, report

ACCURACY_FILE, PERFORMANCE_FILE = "verify_accuracy.txt", "verify_performance.txt"
# A stream of very short latencies is easily disturbed by the operating system (upstream's TEST01).
_SHORT_NS = {"SingleStream": 200_000, "MultiStream": 1_600_000}
_BAND, _WIDE_BAND = 0.10, 0.20
_FORMATS = {"byte": "b", "float32": "<f", "int16": "<h", "int32": "<i", "int64": "<q"}


def verify(case: Case) -> Verdict:
    """Judge the answers and the performance; raises HarnessError for logs that cannot be read."""
    reference, sampled = answers.read(case.require_accuracy()), answers.read(case.compliance)
    same = _same_answers(case, reference, sampled)
    files = {ACCURACY_FILE: report("TEST01, answers", (same,)), "accuracy/accuracy.txt": _accuracy_text(case, same)}
    checks: tuple[Check, ...] = (same,)
    if not same.passed:
        drift, texts = _baseline(case, reference, sampled, same)
        checks, files = drift, files | texts
    speed = _performance(case)
    files[PERFORMANCE_FILE] = report("TEST01, performance", speed)
    return Verdict("TEST01", (*checks, *speed), files)


def _same_answers(case: Case, reference: list[Answer], sampled: list[Answer]) -> Check:
    """Compare in the order of the log; an answer that is met again is compared with the one before it."""
    known: dict[int, str] = {}
    for one in reference:
        known.setdefault(one.qsl_idx, one.data)
    matched = different = missing = whole = 0
    for one in sampled:
        before = known.get(one.qsl_idx)
        if before is None:
            missing += 1
        else:
            matched += 1
            different += not _same_start(case, one.qsl_idx, one.data, before)
            whole += one.data != before
        known[one.qsl_idx] = one.data
    unknown = f", {missing} of samples that the accuracy run has not answered" if missing else ""
    said = (
        f"of {matched} answers compared by their first {case.dtype}, {different} differ ({whole} somewhere in the "
        f"answer){unknown}"
    )
    return Check("answers", not different and matched > 0, said, "see the drift below")


def _same_start(case: Case, index: int, left: str, right: str) -> bool:
    first, second = (_first(case, index, text) for text in (left, right))
    return first == second


def _first(case: Case, index: int, text: str) -> float | None:
    form, path = _FORMATS[case.dtype], case.compliance / ACCURACY
    data = answers.payload(text, index, path)
    if len(data) % struct.calcsize(form):
        raise HarnessError(
            "accuracy", f"{path}: {len(data)} bytes of sample {index} are no {case.dtype}", "give --dtype"
        )
    return float(struct.unpack_from(form, data)[0]) if data else None


def _accuracy_text(case: Case, same: Check) -> str:
    """The checker wants an accuracy.txt, in which the log's hash will stand: the score, if it can be had."""
    if case.scorer is not None:
        try:
            return case.scorer(case.compliance)
        except HarnessError as error:
            return f"not scored: {error.cause}\n"
    return f"not scored; {same.said}\n"


def _baseline(
    case: Case, reference: list[Answer], sampled: list[Answer], same: Check
) -> tuple[tuple[Check, ...], dict[str, str]]:
    """Score the sampled answers, and the accuracy run's answers to the same samples."""
    if case.scorer is None:
        advice = (
            "if the model is not deterministic, give the benchmark's accuracy script: "
            '--accuracy_script="python3 SCRIPT --log {accuracy_log}"'
        )
        return (Check("answers", False, same.said, advice),), {}
    wanted = {one.qsl_idx for one in sampled}
    with tempfile.TemporaryDirectory() as scratch:
        answers.write((one for one in reference if one.qsl_idx in wanted), Path(scratch))
        before = case.scorer(Path(scratch))
    after = case.scorer(case.compliance)
    texts = {
        "accuracy/baseline_accuracy.txt": before,
        "accuracy/compliance_accuracy.txt": after,
        "accuracy/accuracy.txt": after,
    }
    drifts = tuple(
        _drift(case, one.metric, one.drift_percent, before, after) for one in case.benchmark.targets(case.scenario)
    )
    return (Check("answers", None, f"{same.said}: judged by their score"), *drifts), texts


def _drift(case: Case, metric: str, allowed: float | None, before: str, after: str) -> Check:
    first, second = scores.find(metric, before), scores.find(metric, after)
    if not first or not second:
        said = f"{metric} is missing or 0 in {'the baseline' if not first else 'the compliance run'}"
        return Check(metric, False, said, "does the accuracy script print it as the checker wants it?")
    percent, most = abs(1 - first / second) * 100, 1.0 if allowed is None else allowed
    said = f"{first:g} in the accuracy run, {second:g} in the compliance run: {percent:.3g} % apart, {most:g} % allowed"
    return Check(metric, percent <= most, said, "is the model computed otherwise while performance is measured?")


def _performance(case: Case) -> tuple[Check, ...]:
    reference, test = performance.read(case.performance), performance.read(case.compliance)
    short = reference.score <= _SHORT_NS.get(reference.scenario, -1)
    band = _WIDE_BAND if short else _BAND
    inside = reference.score * (1 - band) <= test.score <= reference.score * (1 + band)
    said = f"{test.shown}, {reference.shown} in the measured run, {100 * band:.0f} % either way allowed"
    advice = "repeat it on a quiet machine; if logging costs that much, lower accuracy_log_sampling_target"
    return (*performance.usable(reference, test), Check("performance", inside and test.score > 0, said, advice))
