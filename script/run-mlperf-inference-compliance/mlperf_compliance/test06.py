"""TEST06: tokens are counted honestly. At most one end token, the first token as reported, lengths as reported."""

from __future__ import annotations

from mlperf_compliance import answers
from mlperf_compliance.answers import Answer
from mlperf_compliance.case import Case
from mlperf_compliance.tokens import decode
from mlperf_compliance.verdict import Check, Verdict

FILE = "verify_accuracy.txt"
_END = 2  # of Llama 2, upstream's default


def verify(case: Case) -> Verdict:
    """Judge the sampled answers; raises HarnessError for a log that cannot be read."""
    found = answers.read(case.compliance)
    sequences = [decode(one.data, case.dtype, one.qsl_idx, case.compliance) for one in found]
    checks = (_first_tokens(case, found, sequences), _ends(case, found, sequences), _lengths(found, sequences))
    return Verdict("TEST06", checks, {FILE: _text(checks)})


def _text(checks: tuple[Check, ...]) -> str:
    """The checker looks for these very lines."""
    words = {True: "True", False: "False", None: "Skipped"}
    lines = [f"{check.name} pass: {words[check.passed]}" for check in checks]
    passed = all(check.passed is not False for check in checks)
    reasons = [f"{check.name}: {check.said}" for check in checks if check.passed is False]
    return "\n".join([*lines, f"TEST06 verification {'complete' if passed else 'failed'}", *reasons]) + "\n"


def _first_tokens(case: Case, found: list[Answer], sequences: list[tuple[float, ...]]) -> Check:
    name = "First token check"
    if case.scenario == "Offline":
        return Check(name, None, "first tokens are not reported in Offline")
    advice = "FirstTokenComplete must get the token that the answer begins with"
    for one, sequence in zip(found, sequences, strict=True):
        if one.token_data is None:
            return Check(name, False, f"no first token was reported for sample {one.qsl_idx}", advice)
        reported = decode(one.token_data, case.dtype, one.qsl_idx, case.compliance)
        if any(left != right for left, right in zip(sequence, reported, strict=False)):
            said = f"sample {one.qsl_idx} begins with token {sequence[0]:g}, {reported[0]:g} was reported"
            return Check(name, False, said, advice)
    return Check(name, True, f"{len(found)} as reported")


def _ends(case: Case, found: list[Answer], sequences: list[tuple[float, ...]]) -> Check:
    end = _END if case.audit.eos_token_id is None else case.audit.eos_token_id
    for one, sequence in zip(found, sequences, strict=True):
        # The first token is not looked at, as upstream does not.
        ends = next((k for k, token in enumerate(reversed(sequence[1:])) if token != end), max(len(sequence) - 1, 0))
        if ends >= 2:
            said = f"sample {one.qsl_idx} ends with {ends} end tokens ({end})"
            return Check("EOS check", False, said, "stop at the first end token, or do not hand on what pads the batch")
    return Check("EOS check", True, f"none ends with more than one end token ({end})")


def _lengths(found: list[Answer], sequences: list[tuple[float, ...]]) -> Check:
    for one, sequence in zip(found, sequences, strict=True):
        if one.token_count != len(sequence):
            said = f"{one.token_count} tokens were reported for sample {one.qsl_idx}, its answer has {len(sequence)}"
            return Check("Sample length check", False, said, _advice(found, sequences))
    return Check("Sample length check", True, f"{len(found)} as reported")


def _advice(found: list[Answer], sequences: list[tuple[float, ...]]) -> str:
    counts = [(one.token_count or 0, len(sequence)) for one, sequence in zip(found, sequences, strict=True)]
    if all(length == 2 * count for count, length in counts):
        return "every answer has twice the bytes: are its tokens of another type? --dtype=int64"
    return "QuerySampleResponse's n_tokens must be the number of tokens in the answer"
