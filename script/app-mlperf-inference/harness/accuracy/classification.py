"""Top-1 accuracy of an image classification run.

accuracy.txt has the one line that the reference tool accuracy-imagenet.py prints, which submission checkers search for:
`accuracy=76.014%, good=38007, total=50000`.
"""

from __future__ import annotations

import struct
from pathlib import Path

import msgspec

from harness.errors import HarnessError
from harness.logs import ACCURACY
from harness.outcome import Quality

FILE_NAME = "accuracy.txt"


class Response(msgspec.Struct, frozen=True):
    """One answered sample; `data` is the response's bytes in hexadecimal."""

    qsl_idx: int
    data: str


def score(log_dir: Path, dataset: Path, target: float | None) -> Quality:
    """Compare the log with the data set's labels and write accuracy.txt into `log_dir`.

    Args:
        log_dir: folder with mlperf_log_accuracy.json; responses are one float32 class id each.
        dataset: folder of a preprocessed data set.
        target: percent that must be reached, or None.

    Raises:
        HarnessError: kind `accuracy`, when the log cannot be read or does not answer every sample.
    """
    from harness.tasks.image_classification import ImageFolder

    folder = ImageFolder(dataset)
    answers = answered(log_dir / ACCURACY)
    _require_complete(answers, folder.info.count, log_dir / ACCURACY)
    labels = (folder.labels + folder.info.labels_offset).tolist()
    correct = sum(answer == labels[index] for index, answer in answers.items())
    value = 100.0 * correct / len(answers)
    (log_dir / FILE_NAME).write_text(f"accuracy={value:.3f}%, good={correct}, total={len(answers)}\n")
    passed = None if target is None else value >= target
    return Quality(
        metric="top-1", value=value, unit="%", correct=correct, total=len(answers), target=target, passed=passed
    )


def answered(path: Path) -> dict[int, int]:
    """First answer per sample: loadgen may send a sample twice, and the reference counts the first."""
    try:
        responses = msgspec.json.decode(path.read_bytes(), type=list[Response])
        found: dict[int, int] = {}
        for response in responses:
            found.setdefault(response.qsl_idx, int(struct.unpack("<f", bytes.fromhex(response.data))[0]))
    except OSError as error:
        raise HarnessError("accuracy", f"cannot read {path}: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, struct.error) as error:
        raise HarnessError("accuracy", f"{path} is not an accuracy log of float32 class ids: {error}") from error
    return found


def _require_complete(answers: dict[int, int], count: int, path: Path) -> None:
    missing = [index for index in range(count) if index not in answers]
    if missing:
        raise HarnessError(
            "accuracy", f"{path} answers {count - len(missing)} of {count} samples; first missing: {missing[0]}"
        )
    if len(answers) > count:
        raise HarnessError("accuracy", f"{path} answers {len(answers)} samples, the data set has {count}")
