"""Area under the ROC curve from an accuracy log, by scikit-learn.

accuracy.txt has the line that the reference tool accuracy-dlrm.py prints, which submission checkers search for:
`AUC=80.310%, accuracy=96.6%, good=86106049, total=89137319, queries=330067`.
"""

from __future__ import annotations

from pathlib import Path

from harness.accuracy import log
from harness.arrays import Array
from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Metric, Quality


def score(log_dir: Path, bounds: Array, target: float | None) -> Quality:
    """Score the log in `log_dir` and write accuracy.txt there.

    Args:
        log_dir: folder with mlperf_log_accuracy.json; a response holds (probability, label) couples of float32.
        bounds: first pair of each sample, and the number of pairs.
        target: AUC in percent that must be reached, or None.

    Raises:
        HarnessError: kind `accuracy`.
    """
    samples = len(bounds) - 1
    couples = _couples(log.read_complete(log_dir, samples), bounds, log_dir / ACCURACY)
    predicted, labels = couples[:, 0], couples[:, 1]
    auc = 100.0 * _auc(labels, predicted, log_dir)
    good, total = int((predicted.round() == labels).sum()), len(couples)
    accuracy = 100.0 * good / total
    line = f"AUC={auc:.3f}%, accuracy={accuracy:.3f}%, good={good}, total={total}, queries={samples}"
    (log_dir / log.FILE_NAME).write_text(line + "\n")
    passed = None if target is None else auc >= target
    more = (Metric(name="accuracy", value=accuracy, unit="%"),)
    return Quality(
        metric="AUC", value=auc, unit="%", correct=good, total=total, target=target, passed=passed, more=more
    )


def _couples(payloads: list[bytes], bounds: Array, path: Path) -> Array:
    import numpy as np

    for index, (payload, size) in enumerate(zip(payloads, np.diff(bounds).tolist(), strict=True)):
        if len(payload) != 8 * size:
            cause = f"{path}: response {index} has {len(payload)} bytes, {8 * size} are {size} couples of float32"
            raise HarnessError("accuracy", cause)
    couples: Array = np.frombuffer(b"".join(payloads), dtype=np.float32).reshape(-1, 2)
    if not np.isfinite(couples).all():
        raise HarnessError(
            "accuracy",
            f"{path} holds predictions that are NaN or infinite",
            "the model overflows: try a wider number format, --precision=fp32",
        )
    return couples


def _auc(labels: Array, predicted: Array, log_dir: Path) -> float:
    from sklearn.metrics import roc_auc_score

    if labels.min() == labels.max():
        raise HarnessError("accuracy", f"{log_dir}: all labels are {labels.min():g}, so there is no ROC curve")
    return float(roc_auc_score(labels, predicted))
