"""Plain torch in the place of the compiled operators that torchvision's detectors call.

PyPI's torchvision is linked against CUDA and its operators cannot be loaded beside a CPU build of torch. Only two of
them are needed here: suppression of overlapping boxes, and RoIAlign (He et al. 2017, Mask R-CNN, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: points per bin and direction where the caller asks for as many as the region has pixels (sampling_ratio <= 0)
DEFAULT_POINTS = 2


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices of the boxes [N, 4] (x1, y1, x2, y2) to keep, best score first.

    A box is dropped where it overlaps a better kept one by more than ``iou_threshold`` of their union.
    """
    import torch

    order = scores.argsort(descending=True, stable=True)
    overlaps = _overlaps(boxes[order]) > iou_threshold
    dropped = torch.zeros(len(order), dtype=torch.bool).numpy()
    rows = overlaps.cpu().numpy()
    for place in range(len(order)):
        if not dropped[place]:
            dropped[place + 1 :] |= rows[place, place + 1 :]
    return order[torch.from_numpy(~dropped).to(order.device)]


def _overlaps(boxes: Tensor) -> Tensor:
    """Intersection over union of all pairs, [N, N]."""
    import torch

    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    upper = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    lower = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    inter = (lower - upper).clamp(min=0).prod(2)
    return inter / (area[:, None] + area[None] - inter).clamp(min=1e-12)


def roi_align(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Features [N, C, H, W] pooled over regions into [K, C, *output_size]: torchvision's function of this name.

    ``boxes`` are [K, 5] (image, x1, y1, x2, y2) or one [L, 4] per image, in pixels of the picture. Each bin is the mean
    of ``sampling_ratio``² bilinear samples; without one it is `DEFAULT_POINTS`² (torchvision: as many as fit).
    """
    import torch

    size = (output_size, output_size) if isinstance(output_size, int) else output_size
    points = sampling_ratio if sampling_ratio > 0 else DEFAULT_POINTS
    image, regions = _flat(boxes)
    pooled = input.new_zeros(len(regions), input.shape[1], *size)
    for number in range(len(input)):
        rows = (image == number).nonzero().squeeze(1)
        if len(rows):
            grid = _grid(regions[rows].to(input.dtype) * spatial_scale, size, points, aligned, input.shape[-2:])
            pooled = pooled.index_copy(0, rows, _sample(input[number], grid, size, points))
    return torch.as_tensor(pooled)


def _flat(boxes: Tensor | Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Number of the image [K] and box [K, 4]."""
    import torch

    if isinstance(boxes, torch.Tensor):
        return boxes[:, 0].long(), boxes[:, 1:]
    counts = torch.tensor([len(one) for one in boxes], device=boxes[0].device)
    numbers = torch.arange(len(boxes), device=boxes[0].device)
    return numbers.repeat_interleave(counts), torch.cat(list(boxes))


def _grid(boxes: Tensor, size: tuple[int, int], points: int, aligned: bool, map_size: torch.Size) -> Tensor:
    """Where to sample, [K, rows, columns, 2], with -1 and 1 at the centres of the outermost cells of the map."""
    import torch

    start = boxes[:, :2] - (0.5 if aligned else 0.0)
    extent = boxes[:, 2:] - boxes[:, :2]
    if not aligned:
        extent = extent.clamp(min=1)
    axes = []
    for axis, bins, cells in ((0, size[1], map_size[1]), (1, size[0], map_size[0])):
        steps = (torch.arange(bins * points, device=boxes.device, dtype=boxes.dtype) + 0.5) / (bins * points)
        place = (start[:, axis, None] + steps * extent[:, axis, None]).clamp(0, cells - 1)
        axes.append(place * 2 / max(cells - 1, 1) - 1)
    across, down = axes
    shape = (len(boxes), down.shape[1], across.shape[1])
    return torch.stack((across[:, None, :].expand(shape), down[:, :, None].expand(shape)), -1)


def _sample(features: Tensor, grid: Tensor, size: tuple[int, int], points: int) -> Tensor:
    from torch.nn.functional import avg_pool2d, grid_sample

    regions, rows, columns, _ = grid.shape
    flat = grid.reshape(1, regions * rows, columns, 2)
    values = grid_sample(features[None], flat, align_corners=True, padding_mode="border")
    values = values.reshape(len(features), regions, rows, columns).transpose(0, 1)
    return avg_pool2d(values, points).reshape(regions, len(features), *size)
