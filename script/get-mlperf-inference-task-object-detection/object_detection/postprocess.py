"""From scored boxes to detections, on the model's device and for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PAIRS = 1 << 24
WIDTH = 6  # left, top, right, bottom (pixels of the model's input), score, label


@dataclass(frozen=True)
class Selection:
    """Which boxes become detections.

    Attributes:
        threshold: a box is a candidate for each class whose score is above this.
        overlap: of two boxes of one class whose intersection over union is above this, the weaker one is dropped.
        candidates: most candidates per image and level that are looked at.
        most: most detections per image.
    """

    threshold: float
    overlap: float
    candidates: int
    most: int


def candidates(boxes: Tensor, scores: Tensor, selection: Selection) -> tuple[Tensor, Tensor]:
    """The best (box, class) pairs of one level.

    Args:
        boxes: (n, anchors, 4), corners in pixels.
        scores: (n, anchors, classes); any monotonic scale that `selection.threshold` shares.

    Returns:
        The image of each candidate, (m,), and the candidates, (m, 6).
    """
    import torch

    image, anchor, label = (scores > selection.threshold).nonzero(as_tuple=True)
    score = scores[image, anchor, label]
    found = torch.cat([boxes[image, anchor], score[:, None], label[:, None].to(score.dtype)], dim=1)
    order, place = ranked(image, score)
    order = order[place < selection.candidates]
    return image[order], found[order]


def ranked(image: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
    """The order that sorts by image, then by falling score; and each entry's place within its image."""
    import torch

    order = score.argsort(descending=True, stable=True)
    order = order[image[order].argsort(stable=True)]
    sizes = torch.bincount(image) if len(image) else image
    starts = sizes.cumsum(0) - sizes
    place = torch.arange(len(image), device=image.device) - starts[image[order]]
    return order, place


def detections(image: Tensor, found: Tensor, count: int, selection: Selection) -> Tensor:
    """Non-maximum suppression per class; the strongest first.

    Args:
        image: (m,), the image of each candidate.
        found: (m, 6), candidates of all levels.
        count: number of images.

    Returns:
        (count, selection.most, 6); rows beyond an image's detections have the score -inf.
    """
    import torch

    order, place = ranked(image, found[:, 4])
    width = max(int(place.max()) + 1 if len(place) else 0, selection.most)
    padded = found.new_zeros((count, width, WIDTH))
    padded[..., 4] = -torch.inf
    padded[image[order], place] = found[order]
    # pairs of boxes are quadratic in their number: a few images at a time keep them within some hundred MB
    some = max(1, PAIRS // width**2)
    kept = torch.cat([suppress(part, selection.overlap) for part in torch.split(padded, some)])
    kept &= padded[..., 4].isfinite()
    padded[..., 4].masked_fill_(~kept, -torch.inf)
    best = padded[..., 4].argsort(dim=1, descending=True, stable=True)[:, : selection.most]
    return padded.gather(1, best[..., None].expand(-1, -1, WIDTH))


def suppress(sorted_rows: Tensor, overlap: float) -> Tensor:
    """Which rows greedy non-maximum suppression keeps: (n, k), for rows (n, k, 6) sorted by falling score.

    A row is kept when no kept row before it overlaps it. Applying this rule to all rows at once until nothing changes
    gives the result of the row-by-row loop (Zheng et al. 2020, cluster NMS): after step t the first t rows are final.
    """
    import torch

    boxes, label = sorted_rows[..., :4], sorted_rows[..., 5]
    rival = torch.triu(iou(boxes) > overlap, diagonal=1) & (label[:, :, None] == label[:, None, :])
    kept = torch.ones_like(label, dtype=torch.bool)
    while True:
        now = ~(rival & kept[:, :, None]).any(dim=1)
        if torch.equal(now, kept):
            return kept
        kept = now


def iou(boxes: Tensor) -> Tensor:
    """Intersection over union of all pairs: (n, k, 4) → (n, k, k)."""
    low, high = boxes[..., :2], boxes[..., 2:]
    sides = (high[:, :, None].minimum(high[:, None]) - low[:, :, None].maximum(low[:, None])).clamp(min=0)
    shared = sides.prod(-1)
    area = (high - low).prod(-1)
    union = area[:, :, None] + area[:, None, :] - shared
    return shared / union.clamp(min=1e-9)


def corners(centre: Tensor, size: Tensor) -> Tensor:
    """Boxes (…, 4) of left, top, right, bottom from centres and sizes (…, 2)."""
    import torch

    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)
