"""TEST08, for dlrm-v3, whose samples come in an order of their own: normalised entropy per (timestamp, query)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.logs import ACCURACY
from mlperf_compliance import answers
from mlperf_compliance.answers import payload
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Check, Verdict, report

FILE = "verify_accuracy.txt"
TOLERANCE = 0.001
_EPSILON = 1e-7  # keeps logarithms finite, upstream's value

Array = Any
Key = tuple[int, int]


@dataclass(frozen=True)
class Judged:
    """The accuracy run's answer to one query: float32 arrays of one length, and the entropy of the predictions."""

    labels: Array
    weights: Array
    entropy: float


def verify(case: Case) -> Verdict:
    """Judge the sampled answers; raises HarnessError for logs that cannot be read."""
    reference = _reference(case)
    unknown = different = matched = 0
    for one in answers.read(case.compliance):
        values = _floats(one.data, one.qsl_idx, case)
        before = reference.get((int(values[0]), int(values[1])))
        if before is None:
            unknown += 1
            continue
        matched += 1
        different += not _close(before.entropy, _entropy(values[2:], before.labels, before.weights, case))
    known = f"{unknown} of {matched + unknown} not in the accuracy run"
    apart = f"{different} of {matched} differ by more than {100 * TOLERANCE:g} %"
    checks = (
        Check("known queries", not unknown and matched > 0, known, "both runs must stream the same data"),
        Check("entropy", not different, apart, "is the model computed otherwise while performance is measured?"),
    )
    return Verdict("TEST08", checks, {FILE: report("TEST08, normalised entropy", checks)})


def _reference(case: Case) -> dict[Key, Judged]:
    """An answer is timestamp, query, then predictions, labels and weights of each candidate, then their number."""
    folder, found = case.require_accuracy(), {}
    for one in answers.read(folder):
        values = _floats(one.data, one.qsl_idx, case)
        count = int(values[-1])
        if count < 0 or len(values) != 3 + 3 * count:
            cause = f"{folder / ACCURACY}: {len(values)} values for the {count} candidates of sample {one.qsl_idx}"
            raise HarnessError("accuracy", cause, "the accuracy run must answer with predictions, labels and weights")
        predictions, labels, weights = (values[2 + k * count : 2 + (k + 1) * count] for k in range(3))
        entropy = _entropy(predictions, labels, weights, case)
        found[(int(values[0]), int(values[1]))] = Judged(labels, weights, entropy)
    return found


def _floats(text: str, index: int, case: Case) -> Array:
    import numpy as np

    data, path = payload(text, index, case.compliance / ACCURACY), case.compliance / ACCURACY
    if len(data) % 4 or len(data) < 12:
        raise HarnessError("accuracy", f"{path}: {len(data)} bytes of sample {index} are no answer of float32 values")
    return np.frombuffer(data, dtype=np.float32)


def _entropy(predictions: Array, labels: Array, weights: Array, case: Case) -> float:
    """Cross entropy over that of always predicting the mean label."""
    import numpy as np

    if len(predictions) != len(labels):
        cause = f"{case.compliance / ACCURACY}: {len(predictions)} predictions where the accuracy run has {len(labels)}"
        raise HarnessError("accuracy", cause)
    given, wanted = (np.clip(one, _EPSILON, 1 - _EPSILON) for one in (predictions, labels))
    total = np.sum(weights)
    if total == 0:
        return 0.0
    cross = -np.sum(weights * (wanted * np.log(given) + (1 - wanted) * np.log(1 - given)))
    mean = np.clip(np.sum(weights * wanted) / total, _EPSILON, 1 - _EPSILON)
    base = -mean * np.log(mean) - (1 - mean) * np.log(1 - mean)
    return float(cross / (base * total)) if base else 0.0


def _close(before: float, after: float) -> bool:
    if before == 0 or after == 0:
        return before == after
    return abs(after - before) / abs(before) <= TOLERANCE
