"""TEST04: answering one sample again and again must not be faster, else answers are cached."""

from __future__ import annotations

from mlperf_compliance import performance
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Check, Verdict, report

FILE = "verify_performance.txt"
_MARGIN, _WIDE_MARGIN = 0.10, 0.20
# Upstream compares rates with these, so that the wider margin holds for all but the fastest streams.
_FAST = {"SingleStream": 200_000, "MultiStream": 1_600_000}


def verify(case: Case) -> Verdict:
    """Judge the speed; raises HarnessError for logs that cannot be read."""
    reference, test = performance.read(case.performance), performance.read(case.compliance)
    margin = _WIDE_MARGIN if reference.rate <= _FAST.get(reference.scenario, -1) else _MARGIN
    slower = test.rate < reference.rate * (1 + margin)
    said = f"{test.shown} with one sample, {reference.shown} with all: less than {1 + margin:g} times as fast"
    if not slower:
        said = f"{test.shown} with one sample, {reference.shown} with all: {100 * margin:.0f} % faster or more"
    advice = "switch off what keeps answers or inputs between queries; samples of very different size explain it too"
    checks = (*performance.usable(reference, test), Check("no caching", slower, said, advice))
    return Verdict("TEST04", checks, {FILE: report("TEST04, performance", checks)})
