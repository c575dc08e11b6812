"""Dice scores of segmentations, and the line that submission checkers look for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.accuracy import log
from harness.arrays import Array
from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Metric, Quality
from medical_segmentation.volumes import Volumes

_SMOOTHING = 1e-6  # of the reference: a class that is neither there nor found scores 1


def dice(found: Array, truth: Array, classes: int) -> list[float]:
    """Twice the common voxels over the sum of both, for labels 1 to `classes` (Dice 1945, as the reference smooths)."""
    import numpy as np

    scores = []
    for label in range(1, classes + 1):
        mine, theirs = found == label, truth == label
        common = 2.0 * np.count_nonzero(mine & theirs)
        total = np.count_nonzero(mine) + np.count_nonzero(theirs)
        scores.append(float((common + _SMOOTHING) / (total + _SMOOTHING)))
    return scores


def score(log_dir: Path, volumes: Volumes, target: float | None) -> Quality:
    """Compare the log with the labels and write accuracy.txt into `log_dir`.

    Args:
        log_dir: folder with mlperf_log_accuracy.json; a response has one uint8 label per voxel.
        volumes: the data set.
        target: mean Dice score, 0 to 1, that must be reached, or None.

    Raises:
        HarnessError: kind `accuracy`, when the log cannot be read, is incomplete or of other shapes.
    """
    classes = volumes.info.classes
    found = [_labels(one, volumes, k, log_dir) for k, one in enumerate(log.read_complete(log_dir, volumes.info.count))]
    scores = [dice(labels, volumes.labels(k), len(classes)) for k, labels in enumerate(found)]
    means = [sum(one[k] for one in scores) / len(scores) for k in range(len(classes))]
    mean = sum(means) / len(means)
    (log_dir / log.FILE_NAME).write_text(_line(mean, classes, means))
    return Quality(
        metric="mean Dice score",
        value=mean,
        unit="",
        total=len(scores),
        target=target,
        passed=None if target is None else mean >= target,
        more=tuple(Metric(name=f"Dice score, {name}", value=value) for name, value in zip(classes, means, strict=True)),
    )


def _labels(payload: bytes, volumes: Volumes, index: int, log_dir: Path) -> Array:
    import numpy as np

    case = volumes.info.cases[index]
    labels = np.frombuffer(payload, dtype=np.uint8)
    if labels.size != np.prod(case.shape):
        wanted = f"it has {np.prod(case.shape)} voxels"
        cause = f"{log_dir / ACCURACY} answers {case.name} with {labels.size} labels, {wanted}"
        raise HarnessError("accuracy", cause)
    return labels.reshape(case.shape)


def _line(mean: float, classes: Sequence[str], means: Sequence[float]) -> str:
    parts = "".join(f", {name} = {value:.4f}" for name, value in zip(classes, means, strict=True))
    return f"Accuracy: mean = {mean:.5f}{parts}\n"
