"""Mean average precision by pycocotools, as the reference's accuracy-openimages.py and accuracy-coco.py have it.

accuracy.txt has the line that those tools print and submission checkers search for: `mAP=37.550%`.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.accuracy import log
from harness.arrays import Array
from harness.errors import HarnessError
from harness.outcome import Metric, Quality
from object_detection.pictures import Pictures

FILE_NAME = "accuracy.txt"
VALUES = 7


@dataclass(frozen=True)
class Precision:
    """Average precision in percent: over overlaps 0.5 to 0.95, at 0.5 and at 0.75."""

    overall: float
    at_50: float
    at_75: float


def score(log_dir: Path, data: Pictures, target: float | None) -> Quality:
    """Compare the log with the boxes of the data set and write accuracy.txt into `log_dir`.

    Raises:
        HarnessError: kind `accuracy`, when a response is no list of detections or answers another sample.
    """
    answers = dict(enumerate(log.read_complete(log_dir, len(data.pictures))))
    precision = evaluate(answers, data)
    (log_dir / FILE_NAME).write_text(f"mAP={precision.overall:.3f}%\n")
    return Quality(
        metric="mAP",
        value=precision.overall,
        unit="%",
        total=len(answers),
        target=target,
        passed=None if target is None else precision.overall >= target,
        more=(
            Metric(name="mAP@.5", value=precision.at_50, unit="%"),
            Metric(name="mAP@.75", value=precision.at_75, unit="%"),
        ),
    )


def evaluate(answers: dict[int, bytes], data: Pictures) -> Precision:
    """Score responses by sample. Raises HarnessError like `score`."""
    import numpy as np

    found = [detections(index, answer, data) for index, answer in answers.items()]
    rows = np.concatenate(found) if found else np.empty((0, VALUES))
    if not len(rows):
        return Precision(0.0, 0.0, 0.0)
    ids = [data.pictures[index].id for index in answers]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        stats = _coco_stats(str(data.annotations), rows, ids)
    # pycocotools says -1 where there is nothing to find
    return Precision(*(max(0.0, 100.0 * float(value)) for value in stats[:3]))


def _coco_stats(annotations: str, rows: Array, image_ids: list[int]) -> Any:
    # pycocotools has no type annotations
    truth = import_module("pycocotools.coco").COCO(annotations)
    evaluation = import_module("pycocotools.cocoeval").COCOeval(truth, truth.loadRes(rows), iouType="bbox")
    evaluation.params.imgIds = image_ids
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


def detections(index: int, answer: bytes, data: Pictures) -> Array:
    """One response as pycocotools wants it: (m, 7) of image id, left, top, width, height (pixels), score, category."""
    import numpy as np

    if index >= len(data.pictures):
        raise HarnessError("accuracy", f"sample {index} was answered, the data set has {len(data.pictures)}")
    if len(answer) % (4 * VALUES):
        raise HarnessError("accuracy", f"sample {index}: {len(answer)} bytes are not rows of {VALUES} float32 values")
    values = np.frombuffer(answer, dtype=np.float32).reshape(-1, VALUES)
    if len(values) and (values[:, 0] != index).any():
        raise HarnessError("accuracy", f"the response to sample {index} names sample {int(values[0, 0])}")
    picture = data.pictures[index]
    width, height = np.float32(picture.width), np.float32(picture.height)
    top, left, bottom, right = values[:, 1] * height, values[:, 2] * width, values[:, 3] * height, values[:, 4] * width
    columns = [np.full(len(values), picture.id), left, top, right - left, bottom - top, values[:, 5], values[:, 6]]
    return np.stack([column.astype(np.float64) for column in columns], axis=1)
