"""TEST09: answers are as long while performance is measured as the reference's are."""

from __future__ import annotations

from harness.logs import ACCURACY
from mlperf_compliance import answers
from mlperf_compliance.answers import payload
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Check, Verdict, report

FILE = "verify_output_len.txt"
_TOKEN_BYTES = 4  # upstream reads int32, whatever the benchmark's type


def verify(case: Case) -> Verdict:
    """Judge the mean length; raises HarnessError for a log that cannot be read."""
    path = case.compliance / ACCURACY
    found = answers.read(case.compliance)
    lengths = [len(payload(one.data, one.qsl_idx, path)) // _TOKEN_BYTES for one in found]
    mean = sum(lengths) / len(lengths)
    least, most = case.audit.at_least or 0.0, case.audit.at_most or float("inf")
    spread = f"{len(lengths)} answers ({min(lengths)} to {max(lengths)})"
    said = f"{mean:.2f} tokens over {spread}, {least:g} to {most:g} allowed"
    short = "is max_new_tokens smaller than the rules', or the end token found too early?"
    advice = short if mean < least else "do answers run on behind their end token, or is one padded?"
    check = Check("mean length", least <= mean <= most, said, advice)
    return Verdict("TEST09", (check,), {FILE: report("TEST09, output length", (check,))})
