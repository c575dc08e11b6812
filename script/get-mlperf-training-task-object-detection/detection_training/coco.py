"""Data in COCO 2017's layout: ``annotations/instances_train2017.json`` and the pictures in ``train2017/``; val alike.

https://cocodataset.org/#format-data. Categories are numbered anew, 1 to N in the order of their ids; 0 is background.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch
    from pycocotools.coco import COCO

HINT = "a folder with annotations/instances_train2017.json, instances_val2017.json, train2017/ and val2017/"
TRAIN, VALIDATION = "train2017", "val2017"


class Pictures:
    """One part of the data as a split. A batch is ``{"images": [...], "targets": [...]}``, a list entry per picture.

    Pictures are float [3, height, width] from 0 to 1; targets hold boxes [N, 4] (x1, y1, x2, y2 in pixels), labels [N],
    image_id and, if asked for, masks [N, height, width]. In training, crowds and pictures without objects are left out
    and half of the pictures are mirrored.
    """

    def __init__(self, root: Path, part: str, *, training: bool, masks: bool) -> None:
        self.folder, self.training, self.masks = root / part, training, masks
        self.annotations = root / "annotations" / f"instances_{part}.json"
        self.coco = read(self.annotations)
        self.categories = sorted(self.coco.getCatIds())
        self._labels = {category: label for label, category in enumerate(self.categories, start=1)}
        self.ids = [number for number in sorted(self.coco.getImgIds()) if not training or self._objects(number)]
        self._check_files()

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, list[Any]]:
        """Pictures and targets at ``indices``; TrainingError of kind `data` names a picture that cannot be read."""
        import torch

        samples = [self._sample(self.ids[index]) for index in indices]
        if self.training:
            mirrored = (torch.rand(len(samples), generator=draw) < 0.5).tolist()
            samples = [_mirror(*one) if flip else one for one, flip in zip(samples, mirrored, strict=True)]
        return {"images": [image for image, _ in samples], "targets": [target for _, target in samples]}

    def path(self, number: int) -> Path:
        """The file of a picture."""
        return self.folder / str(self.coco.imgs[number]["file_name"])

    def _check_files(self) -> None:
        missing = [path for path in map(self.path, self.ids) if not path.is_file()]
        if missing:
            cause = f"{missing[0]}: missing ({len(missing)} of {len(self.ids)} pictures of {self.annotations.name} are)"
            raise TrainingError("data", cause, HINT)

    def _objects(self, number: int) -> list[dict[str, Any]]:
        """Those with a box of some extent; no crowds, which are only for evaluation."""
        found = self.coco.imgToAnns.get(number, [])
        return [one for one in found if not one.get("iscrowd") and min(one["bbox"][2:]) >= 1]

    def _sample(self, number: int) -> tuple[torch.Tensor, dict[str, Any]]:
        image = decode(self.path(number))
        objects, described = self._objects(number), self.coco.imgs[number]
        if image.shape[1:] != (described["height"], described["width"]):
            cause = f"{self.path(number)}: {image.shape[2]}x{image.shape[1]} pixels, not as the annotations have it"
            raise TrainingError("data", cause, HINT)
        return image, self._target(number, objects, image.shape[1:])

    def _target(self, number: int, objects: list[dict[str, Any]], size: torch.Size) -> dict[str, Any]:
        import numpy as np
        import torch

        boxes = torch.tensor([one["bbox"] for one in objects], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        labels = torch.tensor([self._labels[one["category_id"]] for one in objects], dtype=torch.int64)
        target = {"boxes": boxes, "labels": labels, "image_id": number}
        if self.masks and self.training:
            planes = [self.coco.annToMask(one) for one in objects]
            target["masks"] = torch.from_numpy(np.stack(planes)) if planes else torch.zeros((0, *size)).byte()
        return target


def _mirror(image: torch.Tensor, target: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
    """Left and right exchanged."""
    width = image.shape[-1]
    boxes = target["boxes"].clone()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    turned = target | {"boxes": boxes}
    if "masks" in target:
        turned["masks"] = target["masks"].flip(-1)
    return image.flip(-1), turned


def read(path: Path) -> COCO:
    """An annotation file with its index; TrainingError of kind `data` names it and says what is wrong."""
    from pycocotools.coco import COCO

    found = COCO()
    try:
        found.dataset = json.loads(path.read_bytes())
        images = {one["id"] for one in found.dataset["images"] if one["file_name"]}
        known = {one["id"] for one in found.dataset["categories"]}
        for one in found.dataset["annotations"]:
            _check(one, images, known)
        with contextlib.redirect_stdout(io.StringIO()):
            found.createIndex()
    except OSError as error:
        raise TrainingError("data", f"{path}: {error.strerror}", HINT) from error
    except KeyError as error:
        raise TrainingError("data", f"{path}: an entry has no {error}", HINT) from error
    except (ValueError, TypeError) as error:
        raise TrainingError("data", f"{path}: {error}", HINT) from error
    return found


def _check(annotation: dict[str, Any], images: set[int], categories: set[int]) -> None:
    number = annotation["id"]
    if annotation["image_id"] not in images:
        raise ValueError(f"annotation {number} is of picture {annotation['image_id']}, which is not listed")
    if annotation["category_id"] not in categories:
        raise ValueError(f"annotation {number} is of category {annotation['category_id']}, which is not listed")
    if len(annotation["bbox"]) != 4:
        raise ValueError(f"annotation {number} has a box of {len(annotation['bbox'])} numbers")


def decode(path: Path) -> torch.Tensor:
    """A picture as float [3, height, width] from 0 to 1."""
    import numpy as np
    import torch
    from PIL import Image

    try:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise TrainingError("data", f"{path}: no readable picture ({error})", HINT) from error
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float() / 255
