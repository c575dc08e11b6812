"""How a picture becomes a network's square input, and how boxes on that input become boxes on the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image


class Fit(Protocol):
    """What depends on the network's input alone."""

    @property
    def side(self) -> int:
        """Height and width of the input in pixels."""
        ...

    def prepare(self, image: Image) -> Array:
        """RGB picture → float32 (3, side, side) with values 0 to 1."""
        ...

    def restore(self, boxes: Array, width: float, height: float) -> Array:
        """Boxes (m, 4) of left, top, right, bottom in input pixels → fractions of the picture's width and height."""
        ...


@dataclass(frozen=True)
class Stretch:
    """Both sides resized to `side`, whatever the picture's proportions."""

    side: int

    def prepare(self, image: Image) -> Array:
        """See Fit."""
        return resized(image, self.side, self.side)

    def restore(self, boxes: Array, width: float, height: float) -> Array:
        """See Fit."""
        restored: Array = boxes / self.side
        return restored


@dataclass(frozen=True)
class Letterbox:
    """The longer side resized to `side`, the rest filled with grey of value `fill` (0 to 255)."""

    side: int
    fill: int

    def prepare(self, image: Image) -> Array:
        """See Fit."""
        import numpy as np

        left, top, width, height = self._place(*image.size)
        canvas = np.full((3, self.side, self.side), self.fill / 255, dtype=np.float32)
        canvas[:, top : top + height, left : left + width] = resized(image, width, height)
        return canvas

    def restore(self, boxes: Array, width: float, height: float) -> Array:
        """See Fit."""
        import numpy as np

        left, top, inner_width, inner_height = self._place(width, height)
        moved = boxes - np.array([left, top, left, top], dtype=boxes.dtype)
        scaled = moved / np.array([inner_width, inner_height] * 2, dtype=boxes.dtype)
        clipped: Array = scaled.clip(0, 1)
        return clipped

    def _place(self, width: float, height: float) -> tuple[int, int, int, int]:
        scale = self.side / max(width, height)
        inner_width, inner_height = round(width * scale), round(height * scale)
        return (self.side - inner_width) // 2, (self.side - inner_height) // 2, inner_width, inner_height


def resized(image: Image, width: int, height: int) -> Array:
    """Bilinear, without smoothing, as cv2.INTER_LINEAR on float32: (3, height, width) with values 0 to 1.

    Pillow's own bilinear filter averages when it shrinks, and would not give the reference's pixels.
    """
    import numpy as np
    import torch
    from torch.nn import functional

    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    fitted = functional.interpolate(pixels, size=(height, width), mode="bilinear", align_corners=False)
    result: Array = (fitted[0] / 255).numpy()
    return result
