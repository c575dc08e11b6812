"""Write seeded random pictures, `synthetic_NNNNNNNN_LABEL.jpg`: blurred noise, which JPEG handles like a photograph."""

from __future__ import annotations

import argparse
from pathlib import Path

SIDE = 256
CLASSES = 1000


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.count < 1:
        parser.error(f"--count must be at least 1, not {options.count}")
    synthesize(options.folder, options.count, options.seed)


def synthesize(folder: Path, count: int, seed: int) -> None:
    """`count` RGB images of 256 x 256; the same seed gives the same pixels before compression."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for index in range(count):
        label = int(random.integers(CLASSES))
        coarse = random.integers(0, 256, size=(16, 16, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        image.save(folder / f"synthetic_{index:08d}_{label}.jpg", quality=90)


if __name__ == "__main__":
    main()
