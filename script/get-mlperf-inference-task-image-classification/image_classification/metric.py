"""Top-1 accuracy of an image classification run.

accuracy.txt has the one line that the reference tool accuracy-imagenet.py prints, which submission checkers search for:
`accuracy=76.014%, good=38007, total=50000`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from harness.accuracy import log
from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Quality


def score(log_dir: Path, labels: list[int], target: float | None, only: Sequence[int] | None = None) -> Quality:
    """Compare the log with the labels and write accuracy.txt into `log_dir`.

    Args:
        log_dir: folder with mlperf_log_accuracy.json; responses are one float32 class id each.
        labels: expected class id per sample.
        target: percent that must be reached, or None.
        only: the samples that the log answers, None for all.

    Raises:
        HarnessError: kind `accuracy`, when the log cannot be read or does not answer every sample.
    """
    payloads = log.read_complete(log_dir, len(labels)) if only is None else log.read_exactly(log_dir, only)
    answers = _classes(payloads, log_dir)
    wanted = labels if only is None else [labels[index] for index in only]
    correct = sum(answer == label for answer, label in zip(answers, wanted, strict=True))
    value = 100.0 * correct / len(answers)
    (log_dir / log.FILE_NAME).write_text(f"accuracy={value:.3f}%, good={correct}, total={len(answers)}\n")
    passed = None if target is None else value >= target
    return Quality(
        metric="top-1", value=value, unit="%", correct=correct, total=len(answers), target=target, passed=passed
    )


def _classes(payloads: list[bytes], log_dir: Path) -> list[int]:
    try:
        return [int(struct.unpack("<f", payload)[0]) for payload in payloads]
    except (struct.error, ValueError) as error:
        cause = f"{log_dir / ACCURACY} is not an accuracy log of float32 class ids: {error}"
        raise HarnessError("accuracy", cause) from error
