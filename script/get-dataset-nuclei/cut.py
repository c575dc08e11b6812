"""StarDist's sample picture and its mask, cut along one column: the left three quarters to train, the rest to test.

So no pixel of the test part is seen in training. The test part is 512 × 128: a network must take what is not square.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer import datafiles

FILES = {"images": "img2d.tif", "masks": "mask2d.tif"}


def cut(source: Path, out: Path) -> None:
    """Write train and test; ``out`` appears in one step. ValueError or OSError names a picture that cannot be used."""
    import numpy as np
    from PIL import Image

    staging = datafiles.stage(out)
    sizes = set()
    for kind, name in FILES.items():
        with Image.open(source / name) as opened:
            values = np.asarray(opened)
        if values.ndim != 2 or values.max() > 255:
            raise ValueError(f"{source / name}: one plane of values up to 255 was expected")
        sizes.add(values.shape)
        border = values.shape[1] * 3 // 4
        for split, part in (("train", values[:, :border]), ("test", values[:, border:])):
            folder = staging / split / kind
            folder.mkdir(parents=True)
            Image.fromarray(part.astype(np.uint8)).save(folder / "nuclei.png")
    if len(sizes) != 1:
        raise ValueError(f"{source}: picture and mask differ in size: {sorted(sizes)}")
    datafiles.publish(staging, out)


def main() -> int:
    """Command line entry; 1 with one line on stderr for a source that cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        cut(options.source, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot make the pictures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
