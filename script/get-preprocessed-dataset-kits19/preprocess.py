"""Scans at one spacing and brightness, cut or padded for a window of 128 voxels that moves by 64.

Writes `volumes/case_NNNNN.npy` (float32, 1 x D x H x W), `labels/case_NNNNN.npy` (uint8; 1 kidney, 2 tumour) and
`dataset.json` into a folder that appears only when all are complete. The numbers are those of the reference's
preprocess.py; the pickles that it writes are taken as they are.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

SIDE, STRIDE = 128, 64
SPACING_MM = (1.6, 1.2, 1.2)
LOWEST, HIGHEST, MEAN, DEVIATION, PADDING = -79.0, 304.0, 101.0, 76.9, -2.2
TWINS = {"case_00400": "case_00185"}  # the reference counts one case twice
SYNTHETIC_SHAPES = ((128, 128, 128), (128, 128, 192))


@dataclass(frozen=True)
class Scan:
    """A volume (float32, D x H x W) and its labels (uint8)."""

    image: Array
    label: Array


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--raw", type=Path, help="folder with one folder of NIfTI files per case")
    source.add_argument("--pickles", type=Path, help="folder that the reference's preprocess.py wrote")
    source.add_argument("--synthetic", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--expect", type=int, default=0, help="cases that there must be; 0: any number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    try:
        convert(parser.parse_args())
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(options: argparse.Namespace) -> None:
    """Write the folder `options.out`. Raises OSError or ValueError naming the file."""
    jobs = dict(_jobs(options))
    if not jobs or options.expect not in (0, len(jobs)):
        expected = options.expect or "at least 1"
        raise ValueError(f"{options.raw or options.pickles} holds {len(jobs)} cases, {expected} are expected")
    staging = options.out.with_name(f".{options.out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    for name in ("volumes", "labels"):
        (staging / name).mkdir(parents=True)
    shapes = _all(jobs, staging, options.processes)
    tier = "synthetic" if options.synthetic else "full"
    cases = [{"name": name, "shape": list(shape)} for name, shape in zip(jobs, shapes, strict=True)]
    info = {"schema": 1, "name": "kits19", "tier": tier, "count": len(cases), "classes": ["kidney", "tumor"]}
    (staging / "dataset.json").write_text(json.dumps({**info, "cases": cases}, indent=1) + "\n")
    shutil.rmtree(options.out, ignore_errors=True)
    staging.replace(options.out)


Job: TypeAlias = "Callable[[], Scan]"


def _jobs(options: argparse.Namespace) -> Iterator[tuple[str, Job]]:
    """The cases in the reference's order, and how to get each."""
    if options.synthetic:
        for number, shape in enumerate(SYNTHETIC_SHAPES):
            yield f"synthetic_{number:05d}", partial(synthetic, shape, options.seed + number)
    elif options.pickles:
        for path in sorted(options.pickles.glob("case_*.pkl")):
            yield path.stem, partial(from_pickle, path)
    else:
        folders = {path.name: path for path in sorted(options.raw.glob("case_*")) if _is_case(path)}
        folders |= {twin: folders[name] for twin, name in TWINS.items() if name in folders}
        for name in sorted(folders):
            yield name, partial(from_nifti, folders[name])


def _is_case(path: Path) -> bool:
    return path.is_dir() and re.fullmatch(r"case_\d{5}", path.name) is not None and (path / "imaging.nii.gz").is_file()


def _all(jobs: dict[str, Job], out: Path, processes: int) -> list[tuple[int, ...]]:
    works = [partial(_write, name, job, out) for name, job in jobs.items()]
    if min(processes, len(works)) <= 1:
        return [work() for work in works]
    try:
        with ProcessPoolExecutor(processes) as pool:
            return list(pool.map(_call, works))
    except BrokenProcessPool:
        raise OSError("a worker process was killed (out of memory?): use fewer with --threads=1") from None


def _call(work: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    return work()


def _write(name: str, job: Job, out: Path) -> tuple[int, ...]:
    import numpy as np

    scan = job()
    np.save(out / "volumes" / f"{name}.npy", np.ascontiguousarray(scan.image, dtype=np.float32)[None])
    np.save(out / "labels" / f"{name}.npy", np.ascontiguousarray(scan.label, dtype=np.uint8))
    return tuple(scan.image.shape)


def synthetic(shape: tuple[int, int, int], seed: int) -> Scan:
    """Noise as bright as prepared scans are."""
    import numpy as np

    random = np.random.default_rng(seed)
    return Scan(random.standard_normal(shape, dtype=np.float32), random.integers(0, 3, shape, dtype=np.uint8))


def from_nifti(folder: Path) -> Scan:
    """A raw case through all steps: spacing, brightness, padding to a window, fitting to the windows' steps."""
    return fitted(padded(normalised(resampled(folder))))


def resampled(folder: Path) -> Scan:
    """Voxels of 1.6 x 1.2 x 1.2 mm: the scan by linear interpolation, the labels by the nearest voxel."""
    import numpy as np
    from scipy.ndimage import zoom

    (image, spacing), (label, _) = (read_nifti(folder / f"{name}.nii.gz") for name in ("imaging", "segmentation"))
    if image.shape != label.shape:
        raise ValueError(f"{folder}: imaging.nii.gz is {image.shape}, segmentation.nii.gz {label.shape}")
    image, label = image.astype(np.float32), label.astype(np.uint8)
    if spacing != SPACING_MM:
        factors = np.array(spacing) / np.array(SPACING_MM)
        image = zoom(image, factors, order=1, mode="constant", cval=image.min(), grid_mode=False)
        label = zoom(label, factors, order=0, mode="constant", cval=label.min(), grid_mode=False)
    return Scan(image, label)


def read_nifti(path: Path) -> tuple[Array, tuple[float, ...]]:
    """Voxels and their size in mm; raises ValueError when the file cannot be read."""
    import nibabel

    try:
        volume = nibabel.load(path)
        return volume.get_fdata(), tuple(volume.header["pixdim"][1:4].tolist())
    except (nibabel.filebasedimages.ImageFileError, EOFError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def normalised(scan: Scan) -> Scan:
    """Brightness (Hounsfield units) cut to what kidneys have, with mean 0 and deviation 1 over the training set."""
    import numpy as np

    return Scan((np.clip(scan.image, LOWEST, HIGHEST) - MEAN) / DEVIATION, scan.label)


def padded(scan: Scan) -> Scan:
    """At least a window in each direction; the edge is repeated."""
    import numpy as np

    bounds = [max(0, SIDE - length) for length in scan.image.shape]
    margins = [(bound // 2, bound - bound // 2) for bound in bounds]
    return Scan(np.pad(scan.image, margins, mode="edge"), np.pad(scan.label, margins, mode="edge"))


def fitted(scan: Scan) -> Scan:
    """Sides that are multiples of the window's step: less than half a step is cut off, more is filled up."""
    import numpy as np

    surplus = [length % STRIDE for length in scan.image.shape]
    cuts = [extra if extra < STRIDE // 2 else 0 for extra in surplus]
    middle = tuple(
        slice(cut // 2, length - (cut - cut // 2)) for cut, length in zip(cuts, scan.image.shape, strict=True)
    )
    image, label = scan.image[middle], scan.label[middle]
    margins = [_margin(length) for length in image.shape]
    return Scan(
        np.pad(image, margins, mode="constant", constant_values=PADDING), np.pad(label, margins, mode="constant")
    )


def _margin(length: int) -> tuple[int, int]:
    bound = -length % STRIDE
    bound += 0 if length + bound >= SIDE else STRIDE
    return bound // 2, bound - bound // 2


def from_pickle(path: Path) -> Scan:
    """A case that the reference prepared: a pickled list of image and label, each (1, D, H, W)."""
    try:
        with path.open("rb") as file:
            image, label = _ArrayUnpickler(file).load()
        return Scan(image[0], label[0])
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{path} is no prepared case: {error}") from None


class _ArrayUnpickler(pickle.Unpickler):
    """Takes numpy arrays and nothing else: a pickle can name any function to be called."""

    def find_class(self, module: str, name: str) -> Any:
        known = {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}
        rebuilding = name in ("_reconstruct", "_frombuffer", "scalar")
        if (module, name) in known or (rebuilding and re.fullmatch(r"numpy\.(_?core)\.(multiarray|numeric)", module)):
            return super().find_class(re.sub(r"^numpy\._?core", _numpy_core(), module), name)
        raise pickle.UnpicklingError(f"it wants {module}.{name}, which no array needs")


def _numpy_core() -> str:
    """numpy 2 renamed numpy.core; pickles of both are read with both."""
    import numpy as np

    return "numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core"


if __name__ == "__main__":
    sys.exit(main())
