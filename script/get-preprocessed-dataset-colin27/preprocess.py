"""Make a small labelled set out of one head: the scan mirrored, turned, tilted, darker and lighter, with brain masks.

Writes `volumes/NAME.npy` (float32, 1 x 128 x 128 x 128, brightest voxel 1), `labels/NAME.npy` (uint8, 1 is brain) and
`dataset.json` into a folder that appears only when all are complete.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

SIDE = 128
PLANES = ((0, 1), (1, 2), (0, 2))
TILT_DEGREES = 15
STANDARD = 12  # samples, where nobody asks for another number
FURTHER_STEP = 3  # degrees between the tilts of further samples


@dataclass(frozen=True)
class Scan:
    """A volume and its mask, both (SIDE, SIDE, SIDE)."""

    image: Array
    brain: Array


Change: TypeAlias = "Callable[[Scan], Scan]"


def changes() -> Iterator[tuple[str, Change]]:
    """What is done to the scan, and a name for it: the twelve samples, then further tilts, up to the quarter turn."""
    yield "plain", lambda scan: scan
    yield "mirrored", lambda scan: Scan(scan.image[::-1], scan.brain[::-1])
    for plane in PLANES[:2]:
        yield f"turned-{_name(plane)}", quarter_turn(plane)
    for plane in PLANES:
        for degrees in (-TILT_DEGREES, TILT_DEGREES):
            yield f"tilted-{_name(plane)}{degrees:+d}", tilt(plane, degrees)
    for name, exponent in (("lighter", 0.85), ("darker", 1.2)):
        yield name, brightness(exponent)
    for degrees in range(FURTHER_STEP, 90, FURTHER_STEP):
        if degrees != TILT_DEGREES:
            for plane, signed in itertools.product(PLANES, (-degrees, degrees)):
                yield f"tilted-{_name(plane)}{signed:+d}", tilt(plane, signed)


def _name(plane: tuple[int, int]) -> str:
    return "".join("xyz"[axis] for axis in plane)


def quarter_turn(plane: tuple[int, int]) -> Change:
    """Turn by 90 degrees in the plane of two axes."""
    import numpy as np

    return lambda scan: Scan(np.rot90(scan.image, 1, plane), np.rot90(scan.brain, 1, plane))


def tilt(plane: tuple[int, int], degrees: int) -> Change:
    """Turn by a few degrees: the scan by linear interpolation, the mask by the nearest voxel."""
    from scipy import ndimage

    def turned(scan: Scan) -> Scan:
        image = ndimage.rotate(scan.image, degrees, plane, reshape=False, order=1)
        return Scan(image, ndimage.rotate(scan.brain, degrees, plane, reshape=False, order=0))

    return turned


def brightness(exponent: float) -> Change:
    """Raise the relative intensities to a power; the darkest and the brightest voxel stay."""
    return lambda scan: Scan((scan.image / scan.image.max()) ** exponent, scan.brain)


def main() -> int:
    """Command line entry; 1 with one line on stderr when the volumes cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="folder with ch2.nii.gz and ch2bet.nii.gz")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=STANDARD, help="number of volumes")
    options = parser.parse_args()
    try:
        convert(options.folder, options.out, options.count)
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(folder: Path, out: Path, count: int = STANDARD) -> None:
    """Write ``count`` samples. Raises OSError or ValueError naming a file or a number that cannot be used."""
    import numpy as np

    most = sum(1 for _ in changes())
    if not 1 <= count <= most:
        raise ValueError(f"{count} volumes were asked for; one scan gives 1 to {most}")
    head, brain = read(folder / "ch2.nii.gz"), read(folder / "ch2bet.nii.gz")
    if head.shape != brain.shape:
        raise ValueError(f"{folder}: ch2.nii.gz is {head.shape}, ch2bet.nii.gz {brain.shape}")
    scan = Scan(resized(head, smooth=True), resized((brain > 0).astype(np.uint8), smooth=False))
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    for name in ("volumes", "labels"):
        (staging / name).mkdir(parents=True)
    names = []
    for name, change in itertools.islice(changes(), count):
        changed = change(scan)
        np.save(staging / "volumes" / f"{name}.npy", _as_input(changed.image))
        np.save(staging / "labels" / f"{name}.npy", np.ascontiguousarray(changed.brain, dtype=np.uint8))
        names.append(name)
    (staging / "dataset.json").write_text(json.dumps(describe(names), indent=1) + "\n")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def read(path: Path) -> Array:
    """The voxels of a NIfTI file, float32; raises ValueError when it cannot be read."""
    import nibabel
    import numpy as np

    try:
        voxels: Array = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)
    except (nibabel.filebasedimages.ImageFileError, EOFError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    return voxels


def resized(volume: Array, *, smooth: bool) -> Array:
    """SIDE voxels a side; a scan is blurred by half the step first and interpolated, a mask takes the nearest voxel."""
    from scipy import ndimage

    steps = [length / SIDE for length in volume.shape]
    if smooth:
        volume = ndimage.gaussian_filter(volume, [max(0.0, (step - 1) / 2) for step in steps], mode="constant")
    factors = [1 / step for step in steps]
    return ndimage.zoom(volume, factors, order=1 if smooth else 0, mode="grid-constant", grid_mode=True)


def _as_input(image: Array) -> Array:
    import numpy as np

    return np.ascontiguousarray(image / image.max(), dtype=np.float32)[None]


def describe(names: list[str]) -> dict[str, Any]:
    """The contents of dataset.json."""
    return {
        "schema": 1,
        "name": "colin27 brain",
        "tier": "embedded",
        "count": len(names),
        "classes": ["brain"],
        "cases": [{"name": name, "shape": [SIDE, SIDE, SIDE]} for name in names],
    }


if __name__ == "__main__":
    sys.exit(main())
