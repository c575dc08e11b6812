"""ImageNet in the layout that everybody trains from: train/WNID/*.JPEG and val/WNID/*.JPEG, one folder per class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

ENDINGS = (".jpeg", ".jpg", ".png")
#: area and aspect of the random windows (C. Szegedy et al., arXiv 1409.4842)
AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)
#: the shorter side before the centre is cut out, in multiples of the network's side
MARGIN = 256 / 224


@dataclass(frozen=True)
class Files:
    """The images of one split: paths, their classes, and the classes' names in order."""

    paths: list[str]
    labels: list[int]
    classes: list[str]


def find(folder: Path, classes: Sequence[str] | None = None) -> Files:
    """All images below ``folder``; with ``classes`` (of the training set) its folders must be among them.

    Raises:
        TrainingError: kind `data`, naming the folder that is missing, unknown or empty.
    """
    if not folder.is_dir():
        raise TrainingError("data", f"{folder} is missing", "--imagenet_path=FOLDER with train/WNID and val/WNID")
    found = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    names = list(found if classes is None else classes)
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise TrainingError(
            "data", f"{folder / unknown[0]} is of a class that train/ lacks", f"ls {folder.parent}/train"
        )
    paths, labels = [], []
    for name in found:
        inside = sorted(one.path for one in os.scandir(folder / name) if one.name.lower().endswith(ENDINGS))
        if not inside:
            raise TrainingError("data", f"{folder / name} has no images ({', '.join(ENDINGS)})", f"ls {folder / name}")
        paths += inside
        labels += [names.index(name)] * len(inside)
    if not paths:
        raise TrainingError("data", f"{folder} has no folders of images", "train/WNID/*.JPEG is wanted")
    return Files(paths, labels, names)


class Pictures:
    """Images read when they are wanted: random windows, half of them mirrored, or the centre of each."""

    def __init__(self, files: Files, side: int, *, random: bool) -> None:
        self.files, self.side, self.random = files, side, random

    def __len__(self) -> int:
        return len(self.files.paths)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """`pixels`: bytes, N × 3 × side × side; `labels`: N."""
        import torch

        made = [self._pixels(self.files.paths[one], draw) for one in indices]
        labels = torch.tensor([self.files.labels[one] for one in indices])
        return {"pixels": torch.stack(made).permute(0, 3, 1, 2), "labels": labels}

    def _pixels(self, path: str, draw: torch.Generator) -> torch.Tensor:
        import numpy as np
        import torch

        image = _opened(path)
        made = _window(image, self.side, draw) if self.random else _centre(image, self.side)
        return torch.from_numpy(np.array(made))


def _opened(path: str) -> Image:
    import PIL.Image

    try:
        with PIL.Image.open(path) as opened:
            picture: Image = opened.convert("RGB")
            return picture
    except (OSError, SyntaxError, ValueError) as error:
        raise TrainingError("data", f"{path} is damaged or no image: {error}", f"file {path}") from error


def _window(image: Image, side: int, draw: torch.Generator) -> Image:
    """A window of random area and aspect, scaled to the network's side; after ten misses the largest centred one."""
    import math

    import torch

    width, height = image.size
    for _ in range(10):
        area, aspect, across, down = torch.rand(4, generator=draw).tolist()
        area = (AREA[0] + (AREA[1] - AREA[0]) * area) * width * height
        ratio = math.exp(math.log(ASPECT[0]) + (math.log(ASPECT[1]) - math.log(ASPECT[0])) * aspect)
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(across * (width - wide + 1)), int(down * (height - high + 1))
            break
    else:
        wide = high = min(width, height)
        left, top = (width - wide) // 2, (height - high) // 2
    scaled: Image = image.resize((side, side), _bilinear(), (left, top, left + wide, top + high))
    return _mirrored(scaled) if float(torch.rand(1, generator=draw)) < 0.5 else scaled


def _centre(image: Image, side: int) -> Image:
    """The middle square of the image after its shorter side was brought to 256/224 of the network's."""
    shorter, wanted = min(image.size), round(side * MARGIN)
    size = tuple(max(wanted, round(length * wanted / shorter)) for length in image.size)
    left, top = ((length - side) // 2 for length in size)
    return image.resize(size, _bilinear()).crop((left, top, left + side, top + side))  # type: ignore[arg-type]


def _bilinear() -> Any:
    from PIL import Image

    return Image.Resampling.BILINEAR


def _mirrored(image: Image) -> Image:
    from PIL import Image

    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
