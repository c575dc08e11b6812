"""Average precision as COCO defines it, computed by pycocotools: over overlaps of 0.50 to 0.95 and all categories."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pycocotools.coco import COCO
    from torch import Tensor

Kind = Literal["bbox", "segm"]
Detection = dict[str, Any]


def detections(answers: Sequence[dict[str, Tensor]], numbers: Sequence[int], categories: list[int]) -> list[Detection]:
    """What a torchvision detector answers to pictures ``numbers``, in COCO's result format, masks as run lengths."""
    found = []
    for answer, number in zip(answers, numbers, strict=True):
        corners = answer["boxes"].float().cpu()
        corners[:, 2:] -= corners[:, :2]
        rows = zip(corners.tolist(), answer["scores"].tolist(), answer["labels"].tolist(), strict=True)
        masks = _runs(answer["masks"]) if "masks" in answer else None
        for place, (box, score, label) in enumerate(rows):
            one = {"image_id": number, "category_id": categories[label - 1], "bbox": box, "score": score}
            found.append(one | ({"segmentation": masks[place]} if masks else {}))
    return found


def _runs(masks: Tensor) -> list[dict[str, Any]]:
    """Probabilities [N, 1, height, width] cut at one half."""
    import numpy as np
    from pycocotools import mask as codec

    solid = (masks[:, 0] > 0.5).byte().cpu().numpy()
    return [codec.encode(np.asfortranarray(one)) for one in solid]


def average_precision(truth: COCO, found: Sequence[Detection], kind: Kind) -> float:
    """AP over IoU 0.50:0.95, from 0 to 1; 0 where nothing was found."""
    from pycocotools.cocoeval import COCOeval

    if not found:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        judged = COCOeval(truth, truth.loadRes([dict(one) for one in found]), kind)
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return max(0.0, float(judged.stats[0]))
