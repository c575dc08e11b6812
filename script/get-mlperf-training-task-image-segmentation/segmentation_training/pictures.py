"""Pictures and masks in folders: SPLIT/images/NAME.png and SPLIT/masks/NAME.png, of one size each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

#: what Pillow reads; a mask must not be of a kind that loses values
IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
MASKS = (".png", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Picture:
    """``image``: channels × H × W, of mean 0 and deviation 1; ``mask``: 1 × H × W, int64, classes from 0."""

    image: torch.Tensor
    mask: torch.Tensor
    path: Path


def read(folder: Path, classes: int) -> list[Picture]:
    """All pictures of one split, by name. With one class, whatever is not 0 in a mask is of it.

    Raises:
        TrainingError: kind `data`, naming the folder without pictures, or the file that is missing or cannot be used.
    """
    images, masks = _named(folder / "images", IMAGES), _named(folder / "masks", MASKS)
    if not images:
        raise TrainingError("data", f"{folder / 'images'} has no pictures ({', '.join(IMAGES)})", f"ls {folder}")
    for name, path in images.items():
        if name not in masks:
            raise TrainingError("data", f"{path} has no mask {folder / 'masks' / name}.png", f"ls {folder / 'masks'}")
    read_pictures = [_picture(images[name], masks[name], classes) for name in sorted(images)]
    channels = {len(one.image): one.path for one in read_pictures}
    if len(channels) > 1:
        grey, colour = channels[1], channels[3]
        raise TrainingError("data", f"{grey} is grey and {colour} is in colour", "convert one or the other")
    return read_pictures


def _named(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise TrainingError("data", f"{folder} is missing", "FOLDER/{train,test}/{images,masks}/NAME.png is wanted")
    return {path.stem: path for path in folder.iterdir() if path.suffix.lower() in endings}


def _picture(path: Path, mask_path: Path, classes: int) -> Picture:
    import torch

    image, mask = torch.tensor(_values(path, colour=True)), torch.tensor(_values(mask_path, colour=False))
    image = image.unsqueeze(0) if image.dim() == 2 else image.permute(2, 0, 1)
    if image.shape[1:] != mask.shape:
        sizes = f"{mask.shape[1]} × {mask.shape[0]}, its picture {image.shape[2]} × {image.shape[1]}"
        raise TrainingError("data", f"{mask_path} is of {sizes}", f"ls -l {mask_path}")
    mask = (mask > 0).long() if classes == 1 else mask.long()
    if int(mask.max()) > classes:
        raise TrainingError("data", f"{mask_path} has the class {int(mask.max())}", f"--classes={int(mask.max())}")
    image = image.float()
    image = (image - image.mean()) / image.std().clamp(min=1e-3)
    return Picture(image, mask.unsqueeze(0), path)


def _values(path: Path, *, colour: bool) -> Any:
    """H × W, or H × W × 3 for a colour picture, as NumPy's int32."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as opened:
            opened.load()
            plain = opened.mode[:1] in ("L", "I", "1") or (opened.mode == "P" and not colour)
            return np.asarray(opened if plain else opened.convert("RGB" if colour else "L"), dtype=np.int32)
    except (OSError, SyntaxError, ValueError) as error:
        raise TrainingError("data", f"{path} is damaged or no picture: {error}", f"ls -l {path}") from error
