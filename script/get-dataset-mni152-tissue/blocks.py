"""Cut cases for 3-D segmentation out of the MNI152 template: 1 is grey matter, 2 is white matter.

Cases for training lie in the left half of the head, those for evaluation in the right half. Brightness alone would
tell the tissues of the clean template apart, so each case gets what scans of different machines have: another
contrast, a field that brightens one side, and noise. Anatomy and labels are real, these differences are simulated.
The layout is that of KiTS19, with an evaluation_cases.txt as in MLPerf's reference.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from trainer.datafiles import publish, stage

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

SIDE = 48
MIDDLE = 98  # the plane between the halves, in voxels of the first axis
#: corners of the blocks for evaluation, in the right half; they do not overlap
EVALUATION = tuple((101, y, z) for y in (25, 73, 121, 169) for z in (35, 83))
LEAST_BRAIN = 0.6
NAMES = {"image": "t1", "grey": "gm", "white": "wm"}


@dataclass(frozen=True)
class Head:
    """The template from 0 to 1 and its labels, both D x H x W."""

    image: Array
    label: Array


def read(folder: Path) -> Head:
    """The template and where which tissue is the more probable one; OSError names a file that cannot be read."""
    import nibabel
    import numpy as np

    volumes = {}
    for name, part in NAMES.items():
        path = folder / f"mni_icbm152_{part}_tal_nlin_sym_09a_converted.nii.gz"
        try:
            voxels = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)
        except (nibabel.filebasedimages.ImageFileError, EOFError, OSError) as error:
            raise OSError(f"{path}: {error}") from error
        volumes[name] = voxels / voxels.max()
    grey, white = volumes["grey"], volumes["white"]
    label = np.where((grey > 0.5) & (grey >= white), 1, np.where(white > 0.5, 2, 0)).astype(np.uint8)
    return Head(volumes["image"], label)


def places(label: Array, count: int, draw: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    """Corners of ``count`` blocks of the left half that hold enough brain."""
    while count:
        x = int(draw.integers(0, MIDDLE - SIDE))
        y, z = (int(draw.integers(0, length - SIDE)) for length in label.shape[1:])
        if (cut(label, (x, y, z)) > 0).mean() >= LEAST_BRAIN:
            count -= 1
            yield x, y, z


def cut(volume: Array, corner: tuple[int, int, int]) -> Array:
    """A cube of `SIDE` voxels."""
    return volume[tuple(slice(start, start + SIDE) for start in corner)]


def scanned(block: Array, draw: np.random.Generator) -> Array:
    """The block as another machine might show it: contrast, uneven brightness, noise."""
    import numpy as np

    axes = np.meshgrid(*(np.linspace(-1, 1, SIDE, dtype=np.float32),) * 3, indexing="ij")
    slopes = draw.uniform(-0.15, 0.15, 3)
    field = 1 + sum(slope * axis for slope, axis in zip(slopes, axes, strict=True))
    image = block ** draw.uniform(0.75, 1.33) * field * draw.uniform(0.7, 1.3)
    noisy = image + draw.normal(0, 0.03, block.shape)
    return (1000 * np.clip(noisy, 0, None)).astype(np.int16)


def write(head: Head, count: int, seed: int, out: Path) -> int:
    """Write all cases; ``out`` appears in one step. Returns their number."""
    import numpy as np

    draw = np.random.default_rng(seed)
    corners = [*places(head.label, count, draw), *EVALUATION]
    staging = stage(out)
    for number, corner in enumerate(corners):
        folder = staging / f"case_{number:05d}"
        folder.mkdir(parents=True)
        _save(scanned(cut(head.image, corner), draw), folder / "imaging.nii.gz")
        _save(cut(head.label, corner), folder / "segmentation.nii.gz")
    numbers = range(count, len(corners))
    (staging / "evaluation_cases.txt").write_text("".join(f"{number:05d}\n" for number in numbers), encoding="utf-8")
    publish(staging, out)
    return len(corners)


def _save(voxels: Array, path: Path) -> None:
    import nibabel
    import numpy as np

    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), path)


def main() -> int:
    """Command line entry; 1 with one line on stderr when the template cannot be read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--template", type=Path, required=True, help="folder nilearn/datasets/data of the package")
    parser.add_argument("--count", type=int, required=True, help="cases for training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        print(write(read(options.template), options.count, options.seed, options.out))
    except OSError as error:
        print(f"cannot make the cases: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
