"""Make labelled pictures for object detection: photographed objects, cut out, on plain backgrounds, with exact boxes.

Writes `images/*.png`, `annotations.json` in COCO's format (80 categories with COCO's ids) and `dataset.json` into a
folder that appears only when all of it is complete. Without `--stamps` the pictures are noise with random boxes.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 640, 480
SLOTS = 2
CLASSES = Path(__file__).parent / "classes.json"
Box = tuple[int, int, int, int]  # left, top, width, height in pixels


@dataclass(frozen=True)
class Scene:
    """A picture and what is on it: (category name, box)."""

    picture: Image
    objects: list[tuple[str, Box]]


class Stamps:
    """Cut-outs by category name; their transparent margins are cut off, so that a box is the object's own."""

    def __init__(self, folder: Path, table: dict[str, list[str]]) -> None:
        self._folder, self._table = folder, table
        self.names = sorted(table)

    def pick(self, name: str, longest: int, rng: random.Random) -> Image:
        """One cut-out of a category, its longer side `longest` pixels. Raises OSError naming an unreadable file."""
        from PIL import Image

        path = self._folder / f"{rng.choice(self._table[name])}.png"
        with Image.open(path) as opened:
            stamp = opened.convert("RGBA")
        solid = stamp.getchannel("A").point(lambda alpha: 255 if alpha > 60 else 0).getbbox()
        if solid is None:
            raise OSError(f"{path} shows nothing")
        stamp = stamp.crop(solid)
        scale = longest / max(stamp.size)
        size = (max(1, int(stamp.width * scale)), max(1, int(stamp.height * scale)))
        return stamp.resize(size, Image.Resampling.BICUBIC)


def compose(stamps: Stamps, rng: random.Random) -> Scene:
    """A picture with one object in each half."""
    picture = background(rng)
    objects = []
    for slot in range(SLOTS):
        name = rng.choice(stamps.names)
        stamp = stamps.pick(name, rng.randint(170, 290), rng)
        half = WIDTH // SLOTS
        left = slot * half + rng.randint(0, max(0, half - stamp.width))
        top = rng.randint(0, HEIGHT - stamp.height)
        picture.paste(stamp, (left, top), stamp)
        objects.append((name, (left, top, stamp.width, stamp.height)))
    return Scene(picture, objects)


def noise(names: list[str], rng: random.Random) -> Scene:
    """A picture without meaning and one random box."""
    width, height = rng.randint(32, 320), rng.randint(32, 240)
    box = (rng.randint(0, WIDTH - width), rng.randint(0, HEIGHT - height), width, height)
    return Scene(background(rng), [(rng.choice(names), box)])


def background(rng: random.Random) -> Image:
    """Soft patches of muted colours: nothing that a detector knows."""
    from PIL import Image

    coarse = Image.frombytes("RGB", (8, 6), bytes(rng.randrange(60, 200) for _ in range(8 * 6 * 3)))
    return coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def write(scenes: list[Scene], categories: dict[str, int], tier: str, out: Path) -> None:
    """Write the data set; `out` appears in one step."""
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    (staging / "images").mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, scene in enumerate(scenes, start=1):
        name = f"{number:06d}.png"
        scene.picture.save(staging / "images" / name)
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        annotations += [_annotation(number, categories[kind], box) for kind, box in scene.objects]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    named = [{"id": key, "name": name, "supercategory": ""} for name, key in categories.items()]
    coco = {"info": {}, "licenses": [], "categories": named, "images": images, "annotations": annotations}
    (staging / "annotations.json").write_text(json.dumps(coco) + "\n", encoding="utf-8")
    described = {"schema": 1, "name": "detection scenes", "tier": tier, "count": len(images)}
    places = {"images": "images", "annotations": "annotations.json"}
    (staging / "dataset.json").write_text(json.dumps(described | places, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def _annotation(image: int, category: int, box: Box) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": list(box), "area": box[2] * box[3], "iscrowd": 0}


def main() -> int:
    """Command line entry; 1 with one line on stderr when a cut-out cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stamps", type=Path, help="folder usr/share/tuxpaint/stamps of the package")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--classes", type=int, default=80, help="of noise; COCO's 80, or numbered ones")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.count < 1:
        parser.error(f"--count must be at least 1, not {options.count}")
    table = json.loads(CLASSES.read_text(encoding="utf-8"))
    categories, rng = table["categories"], random.Random(options.seed)
    try:
        if options.stamps:
            stamps = Stamps(options.stamps, table["stamps"])
            scenes = [compose(stamps, rng) for _ in range(options.count)]
        else:
            if options.classes != len(categories):
                categories = {f"class {number}": number for number in range(options.classes)}
            scenes = [noise(sorted(categories), rng) for _ in range(options.count)]
        write(scenes, categories, "embedded" if options.stamps else "synthetic", options.out)
    except OSError as error:
        print(f"cannot make the pictures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
