"""Resize and crop labelled images into one uint8 array; normalisation is left to whoever feeds the network.

Writes `samples.npy` (N, H, W, 3, RGB), `labels.npy` (int64, N) and `dataset.json` into a folder that appears only when
all three are complete.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 224
_CHUNK = 64


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes SIDE x SIDE pixels, and the mean and deviation (in pixel values) that belong to it."""

    crop: Callable[[Image], Image]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def short_side_256(image: Image) -> Image:
    """Short side to 256, bilinear, then the centre 224: `pre_process_imagenet_pytorch` of the MLPerf reference."""
    from PIL.Image import Resampling

    width, height = image.size
    short = min(width, height)
    # torchvision truncates the long side and rounds the corner, and so must we
    image = image.resize((int(256 * width / short), int(256 * height / short)), Resampling.BILINEAR)
    left, top = round((image.width - SIDE) / 2.0), round((image.height - SIDE) / 2.0)
    return image.crop((left, top, left + SIDE, top + SIDE))


def centre_seven_eighths(image: Image) -> Image:
    """Centre square of 224/256 of the short side, bicubic to 224: how EfficientNet (Lite) was evaluated."""
    from PIL.Image import Resampling

    width, height = image.size
    side = int(224 / 256 * min(width, height))
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Resampling.BICUBIC)


PREPROCESSINGS = {
    "resnet50": Preprocessing(short_side_256, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "efficientnet-lite": Preprocessing(centre_seven_eighths, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
}


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--tier", choices=("full", "embedded", "synthetic"), required=True)
    parser.add_argument("--preprocessing", choices=sorted(PREPROCESSINGS), required=True)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        convert(options.images, options.labels, options.tier, options.preprocessing, options.processes, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(images: Path, labels: Path, tier: str, preprocessing: str, processes: int, out: Path) -> None:
    """Convert the images that the file `labels` names. Raises OSError or ValueError naming the file."""
    import numpy as np

    entries = read_labels(labels)
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    _write_samples([str(images / name) for name, _ in entries], preprocessing, processes, staging / "samples.npy")
    np.save(staging / "labels.npy", np.array([label for _, label in entries], dtype=np.int64))
    described = describe(tier, preprocessing, len(entries))
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def read_labels(path: Path) -> list[tuple[str, int]]:
    """Image names and classes in file order. Raises ValueError when there is none or a line has another form."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, label = line.rpartition(" ")
        if not name or not label.isdecimal():
            raise ValueError(f"{path}:{number}: not an image name and a class: {line[:80]!r}")
        entries.append((name, int(label)))
    if not entries:
        raise ValueError(f"{path} names no image")
    return entries


def describe(tier: str, preprocessing: str, count: int) -> dict[str, Any]:
    """The contents of dataset.json."""
    chosen = PREPROCESSINGS[preprocessing]
    return {
        "schema": 1,
        "name": f"imagenet2012-val {preprocessing}",
        "tier": tier,
        "count": count,
        "shape": [SIDE, SIDE, 3],
        "mean": list(chosen.mean),
        "std": list(chosen.std),
        "labels_offset": 0,
    }


def _write_samples(files: list[str], preprocessing: str, processes: int, target: Path) -> None:
    """Each process writes its own slice of the one array on disk: 50,000 images (7.5 GB) need not fit into memory."""
    import numpy as np

    np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(files), SIDE, SIDE, 3)).flush()
    slices = [
        (str(target), start, files[start : start + _CHUNK], preprocessing) for start in range(0, len(files), _CHUNK)
    ]
    workers = min(processes if processes > 0 else os.cpu_count() or 1, len(slices))
    if workers == 1:
        for piece in slices:
            _convert_slice(piece)
        return
    try:
        with ProcessPoolExecutor(workers) as pool:
            for _ in pool.map(_convert_slice, slices):
                pass
    except BrokenProcessPool:
        raise OSError("a worker process was killed (out of memory?): use fewer with --threads") from None


def _convert_slice(piece: tuple[str, int, list[str], str]) -> None:
    import numpy as np

    target, start, files, preprocessing = piece
    samples = np.lib.format.open_memmap(target, mode="r+")
    for offset, file in enumerate(files):
        samples[start + offset] = convert_image(file, preprocessing)
    samples.flush()


def convert_image(file: str, preprocessing: str) -> Any:
    """One image file as uint8 (SIDE, SIDE, 3). Raises OSError naming the file when it cannot be decoded."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            # OpenCV, which the reference decodes with, turns images upright
            image = ImageOps.exif_transpose(opened).convert("RGB")
        return np.asarray(PREPROCESSINGS[preprocessing].crop(image))
    except Exception as error:
        raise OSError(f"{file}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
