"""Make a data set for instance segmentation in COCO 2017's own layout: train2017/, val2017/ and annotations/.

The pictures are small composites of the same cut-outs as in `compose`; boxes and masks are those of what can be seen,
since a later cut-out may cover a part of an earlier one. Both parts show the same cut-outs, differently placed, scaled
and mirrored. Without `--stamps` the objects are filled discs, squares and triangles.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compose import CLASSES, Stamps, background

from trainer.datafiles import publish, stage

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

PARTS = ("train2017", "val2017")
#: an object of which less than this share of its pixels is seen is not labelled and not kept
VISIBLE = 0.5
Pick = Callable[[int], "tuple[str, Image]"]


@dataclass(frozen=True)
class Instance:
    """What is seen of one object: its category and a boolean mask [height, width]."""

    name: str
    mask: np.ndarray


def compose(pick: Pick, size: int, rng: random.Random) -> tuple[Image, list[Instance]]:
    """A square picture of ``size`` pixels with one to three objects, all of which are mostly visible."""
    picture = background(rng).resize((size, size))
    instances: list[Instance] = []
    for _ in range(rng.randint(1, 3)):
        name, stamp = pick(rng.randint(int(size * 0.3), int(size * 0.6)))
        place = (rng.randint(0, size - stamp.width), rng.randint(0, size - stamp.height))
        mask = _silhouette(stamp, place, size)
        if all((one.mask & ~mask).sum() >= VISIBLE * one.mask.sum() for one in instances):
            picture.paste(stamp, place, stamp)
            instances = [Instance(one.name, one.mask & ~mask) for one in instances] + [Instance(name, mask)]
    return picture, instances


def _silhouette(stamp: Image, place: tuple[int, int], size: int) -> np.ndarray:
    import numpy as np

    mask = np.zeros((size, size), dtype=bool)
    solid = np.asarray(stamp.getchannel("A")) > 60
    mask[place[1] : place[1] + stamp.height, place[0] : place[0] + stamp.width] = solid
    return mask


def photographed(stamps: Stamps, names: list[str], rng: random.Random) -> Pick:
    """Cut-outs of the named categories, half of them mirrored."""
    from PIL import Image

    def pick(longest: int) -> tuple[str, Image.Image]:
        name = rng.choice(names)
        stamp = stamps.pick(name, longest, rng)
        return name, stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else stamp

    return pick


def drawn(names: list[str], rng: random.Random) -> Pick:
    """Discs, squares and triangles of random colours; which shape it is decides the category."""
    from PIL import Image, ImageDraw

    def pick(longest: int) -> tuple[str, Image.Image]:
        name = rng.choice(names)
        stamp = Image.new("RGBA", (longest, longest))
        colour = (*(rng.randrange(256) for _ in range(3)), 255)
        pen, end = ImageDraw.Draw(stamp), longest - 1
        if name == "disc":
            pen.ellipse((0, 0, end, end), fill=colour)
        elif name == "square":
            pen.rectangle((0, 0, end, end), fill=colour)
        else:
            pen.polygon(((0, end), (end, end), (end / 2, 0)), fill=colour)
        return name, stamp

    return pick


def write(out: Path, counts: tuple[int, int], size: int, pick: Pick, categories: dict[str, int]) -> None:
    """Write both parts; `out` appears in one step. ``counts`` are the pictures for training and for evaluation."""
    rng = random.Random(f"backgrounds and places of {sum(counts)}")
    staging = stage(out)
    (staging / "annotations").mkdir(parents=True)
    for part, count in zip(PARTS, counts, strict=True):
        (staging / part).mkdir()
        coco = _part(staging / part, count, size, pick, rng, categories)
        (staging / "annotations" / f"instances_{part}.json").write_text(json.dumps(coco) + "\n", encoding="utf-8")
    publish(staging, out)


def _part(
    folder: Path, count: int, size: int, pick: Pick, rng: random.Random, categories: dict[str, int]
) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        picture, instances = compose(pick, size, rng)
        name = f"{number:012d}.png"
        picture.save(folder / name)
        images.append({"id": number, "file_name": name, "width": size, "height": size})
        for one in instances:
            found = {"id": len(annotations) + 1, "image_id": number, "category_id": categories[one.name]}
            annotations.append(found | _outline(one.mask))
    named = [{"id": key, "name": name, "supercategory": ""} for name, key in categories.items()]
    return {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": named}


def _outline(mask: np.ndarray) -> dict[str, Any]:
    """Box, area and mask of one object as COCO's format has them; the mask as run lengths, column by column."""
    import numpy as np
    from pycocotools import mask as codec

    runs = codec.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "bbox": [float(value) for value in codec.toBbox(runs)],
        "area": float(codec.area(runs)),
        "segmentation": {"size": runs["size"], "counts": runs["counts"].decode("ascii")},
        "iscrowd": 0,
    }


def main() -> int:
    """Command line entry; 1 with one line on stderr when a cut-out cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stamps", type=Path, help="folder usr/share/tuxpaint/stamps of the package")
    parser.add_argument("--categories", default="", help="names, separated by commas; all that have cut-outs otherwise")
    parser.add_argument("--size", type=int, default=128, help="pixels of a side")
    parser.add_argument("--train", type=int, required=True)
    parser.add_argument("--val", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if min(options.train, options.val) < 1 or options.size < 32:
        parser.error("at least one picture for each part, and 32 pixels")
    rng = random.Random(options.seed)
    try:
        pick, categories = _source(options.stamps, options.categories, rng)
        write(options.out, (options.train, options.val), options.size, pick, categories)
    except OSError as error:
        print(f"cannot make the pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _source(stamps: Path | None, wanted: str, rng: random.Random) -> tuple[Pick, dict[str, int]]:
    """What puts objects on the pictures, and the categories with their numbers."""
    if stamps is None:
        shapes = {"disc": 1, "square": 2, "triangle": 3}
        return drawn(list(shapes), rng), shapes
    table = json.loads(CLASSES.read_text(encoding="utf-8"))
    names = [name.strip() for name in wanted.split(",") if name.strip()] or sorted(table["stamps"])
    unknown = sorted(set(names) - set(table["stamps"]))
    if unknown:
        raise OSError(f"no cut-outs of {', '.join(unknown)}; there are {', '.join(sorted(table['stamps']))}")
    return photographed(Stamps(stamps, table["stamps"]), names, rng), {
        name: table["categories"][name] for name in names
    }


if __name__ == "__main__":
    sys.exit(main())
