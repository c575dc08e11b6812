"""Prepare the cases of a folder in KiTS19's layout for training: `preprocess`, without fitting to windows.

Writes `volumes/case_NNNNN.npy` (float32, 1 x D x H x W), `labels/case_NNNNN.npy` (uint8), `dataset.json`, which says
which cases are for evaluation, and SHA256SUMS. CT scans are brought to one spacing and cut in brightness as KiTS19's
reference does it; MR volumes keep their spacing and are scaled by their brightest tissue.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from preprocess import Scan, normalised, padded, read_nifti, resampled

from trainer.datafiles import publish, stage, verify
from trainer.errors import TrainingError

LIST = "evaluation_cases.txt"
#: where a folder has no list of its own: MLPerf's evaluation cases of KiTS19
EVALUATION = (
    *(0, 3, 5, 6, 12, 24, 34, 41, 44, 49, 52, 56, 61, 65, 66, 70, 76, 78, 80, 84, 86, 87, 92, 111, 112, 125, 128, 138),
    *(157, 160, 161, 162, 169, 171, 176, 185, 187, 189, 198, 203, 206, 207),
)
CLASSES = {"ct": ["kidney", "tumor"], "mr": ["grey matter", "white matter"]}


def ct(folder: Path) -> Scan:
    """As KiTS19's reference: spacing, brightness, at least 128 voxels a side."""
    return padded(normalised(resampled(folder)))


def mr(folder: Path) -> Scan:
    """Brightness of magnetic resonance has no unit: the brightest hundredth is 2, no signal is -2."""
    import numpy as np

    image, label = (read_nifti(folder / f"{name}.nii.gz")[0] for name in ("imaging", "segmentation"))
    if image.shape != label.shape:
        raise ValueError(f"{folder}: imaging.nii.gz is {image.shape}, segmentation.nii.gz {label.shape}")
    brightest = float(np.percentile(image, 99))
    if brightest <= 0:
        raise ValueError(f"{folder / 'imaging.nii.gz'}: there is no signal")
    return Scan((4 * image / brightest - 2).astype(np.float32), label.astype(np.uint8))


PREPARE = {"ct": ct, "mr": mr}


def evaluation_cases(raw: Path, names: list[str]) -> list[str]:
    """Which of the cases are for evaluation: those that the folder lists, else MLPerf's."""
    if (raw / LIST).is_file():
        numbers = [int(line) for line in (raw / LIST).read_text(encoding="utf-8").split()]
    else:
        numbers = [number for number in EVALUATION if f"case_{number:05d}" in names]
    listed = [f"case_{number:05d}" for number in numbers]
    missing = sorted(set(listed) - set(names))
    if missing:
        raise ValueError(f"{raw / LIST} names {missing[0]}, which is not there")
    return listed


def convert(raw: Path, modality: str, expect: int, processes: int, out: Path) -> int:
    """Write the folder ``out``, which appears in one step. Returns the number of cases."""
    verify(raw)
    names = sorted(path.name for path in raw.glob("case_*") if (path / "imaging.nii.gz").is_file())
    if not names or expect not in (0, len(names)):
        raise ValueError(f"{raw} holds {len(names)} cases, {expect or 'at least 1'} are expected")
    evaluation = evaluation_cases(raw, names)
    staging = stage(out)
    for name in ("volumes", "labels"):
        (staging / name).mkdir(parents=True)
    work = partial(_write, raw, staging, modality)
    if processes > 1 and len(names) > 1:
        with ProcessPoolExecutor(processes) as pool:
            shapes = list(pool.map(work, names))
    else:
        shapes = [work(name) for name in names]
    cases = [{"name": name, "shape": shape} for name, shape in zip(names, shapes, strict=True)]
    described = {"schema": 1, "classes": CLASSES[modality], "cases": cases, "evaluation": evaluation}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    publish(staging, out)
    return len(names)


def _write(raw: Path, out: Path, modality: str, name: str) -> list[int]:
    import numpy as np

    scan = PREPARE[modality](raw / name)
    np.save(out / "volumes" / f"{name}.npy", np.ascontiguousarray(scan.image, dtype=np.float32)[None])
    np.save(out / "labels" / f"{name}.npy", np.ascontiguousarray(scan.label, dtype=np.uint8))
    return list(scan.image.shape)


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path, required=True, help="folder with one folder of NIfTI files per case")
    parser.add_argument("--modality", choices=sorted(PREPARE), default="ct")
    parser.add_argument("--expect", type=int, default=0, help="cases that there must be; 0: any number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        convert(options.raw, options.modality, options.expect, options.processes, options.out)
    except (OSError, ValueError, TrainingError) as error:
        print(f"cannot prepare: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
