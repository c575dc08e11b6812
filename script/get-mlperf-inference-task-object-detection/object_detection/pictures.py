"""A data set in COCO's format: a folder of pictures, a JSON file with sizes and boxes, and `dataset.json`.

`dataset.json` names the other two: {"schema": 1, "name", "tier", "count", "images": folder, "annotations": file}, each
path relative to the folder of dataset.json, or absolute.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from harness.config import Tier
from harness.errors import HarnessError
from harness.tasks.base import require

if TYPE_CHECKING:
    from PIL.Image import Image

HINT = "make the data set again, or give a complete one: --openimages_path or --coco_path"
T = TypeVar("T")


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`."""

    schema: int
    name: str
    tier: Tier
    count: int
    images: str
    annotations: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `images`; sizes in pixels."""

    id: int
    file_name: str
    width: float
    height: float


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `categories`."""

    id: int
    name: str


class Annotations(msgspec.Struct, frozen=True, kw_only=True):
    """What of a COCO file is needed to run; the boxes are read when the run is scored."""

    images: list[Picture]
    categories: list[Category]


class Pictures:
    """An opened data set.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or malformed, or the counts differ.
    """

    def __init__(self, folder: Path) -> None:
        self.info = _decode(folder / "dataset.json", Description)
        self.annotations = folder / self.info.annotations
        self._images = folder / self.info.images
        content = _decode(self.annotations, Annotations)
        self.pictures = content.images
        # Networks number classes from 0; COCO's ids have gaps.
        self.category_ids = sorted(category.id for category in content.categories)
        self._check()

    def _check(self) -> None:
        found, claimed = len(self.pictures), self.info.count
        require(found > 0, f"{self.annotations} lists no image", HINT)
        require(found == claimed, f"{self.annotations} lists {found} images, dataset.json says {claimed}", HINT)
        missing = [p.file_name for p in self.pictures if not (self._images / p.file_name).is_file()]
        if missing:
            cause = f"{len(missing)} of {found} images are missing in {self._images}; the first is {missing[0]}"
            raise HarnessError("dataset", cause, HINT)

    def read(self, index: int) -> Image:
        """An RGB picture, upright.

        Raises:
            HarnessError: kind `dataset`, when it cannot be decoded or has another size than the annotations say.
        """
        from PIL import Image, ImageOps

        picture = self.pictures[index]
        path = self._images / picture.file_name
        try:
            with Image.open(path) as opened:
                # OpenCV, which the reference decodes with, turns images upright.
                image = ImageOps.exif_transpose(opened).convert("RGB")
        except OSError as error:
            raise HarnessError("dataset", f"{path} cannot be decoded: {error}", HINT) from error
        expected = (int(picture.width), int(picture.height))
        require(image.size == expected, f"{path} is {_size(image.size)}, its annotation says {_size(expected)}", HINT)
        return image


def _decode(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", HINT) from error


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
