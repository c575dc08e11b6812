"""Describe MLPerf's multi-hot Criteo files in a dataset.json, or write random ones of the same layout."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

DENSE = 13
# Ids per pair and table sizes of the 26 categorical features, as in the reference implementation of DLRM-v2.
HOTS = (3, 2, 1, 2, 6, 1, 1, 1, 1, 7, 3, 8, 1, 6, 9, 5, 1, 1, 1, 12, 100, 27, 10, 3, 1, 1)
# fmt: off
ROWS = (
    40_000_000, 39_060, 17_295, 7_424, 20_265, 3, 7_122, 1_543, 63, 40_000_000, 3_067_956, 405_282, 10, 2_209,
    11_938, 155, 4, 976, 14, 40_000_000, 40_000_000, 40_000_000, 590_152, 12_973, 108, 36,
)
# fmt: on
SYNTHETIC_ROWS = 100_000  # larger tables are cut to this: all of them would need 104 GB
PAIRS_PER_SAMPLE = 270  # the mean of the benchmark's distribution
FILES = {
    "dense": "day_23_dense.npy",
    "sparse": "day_23_sparse_multi_hot.npz",
    "labels": "day_23_labels.npy",
}
_HOW = (
    "give the folder with --criteo_path=FOLDER; MLCommons' downloader fetches it: bash <(curl -s https://raw."
    "githubusercontent.com/mlcommons/r2-downloader/refs/heads/main/mlc-r2-downloader.sh) -d FOLDER "
    "https://inference.mlcommons-storage.org/metadata/dlrm-v2-preprocessed-dataset.uri"
)


def main() -> int:
    """Command line entry; 1 with one or two lines on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tier", choices=("full", "synthetic"), required=True)
    parser.add_argument("--folder", default="")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        if options.tier == "synthetic":
            synthesize(options.samples, options.out)
        else:
            describe(options.folder, options.rows, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot prepare Criteo: {error}", file=sys.stderr)
        return 1
    return 0


def describe(folder: str, rows: int, out: Path) -> None:
    """Check the official files by their headers and name them in `out`/dataset.json.

    The benchmark uses the first half of the day. Raises OSError or ValueError naming what is wrong.
    """
    import numpy as np

    place = Path(folder).expanduser().absolute()
    missing = [name for name in FILES.values() if not folder or not (place / name).is_file()]
    if missing:
        raise ValueError(f"{folder or 'no folder'} has no {', '.join(missing)}; {_HOW}")
    files = {key: str(place / name) for key, name in FILES.items()}
    shapes = {key: np.load(files[key], mmap_mode="r").shape for key in ("dense", "labels")}
    with zipfile.ZipFile(files["sparse"]) as archive:
        members = sorted(archive.namelist())
    if members != sorted(f"{number}.npy" for number in range(len(HOTS))):
        raise ValueError(f"{files['sparse']} has {len(members)} members, 0.npy to {len(HOTS) - 1}.npy are expected")
    if shapes["dense"] != (rows, DENSE) or shapes["labels"] != (rows, 1):
        expected = f"({rows}, {DENSE}) and ({rows}, 1)"
        raise ValueError(f"{place}: dense has shape {shapes['dense']} and labels {shapes['labels']}, not {expected}")
    _publish(out, {"name": "criteo-1tb day 23", "tier": "full", "pairs": (rows + 1) // 2, "rows": ROWS, "files": files})


def synthesize(samples: int, out: Path, seed: int = 0) -> None:
    """Write pairs for about `samples` samples, with ids drawn evenly from tables of at most SYNTHETIC_ROWS rows."""
    import numpy as np

    random, pairs = np.random.default_rng(seed), samples * PAIRS_PER_SAMPLE
    rows = [min(count, SYNTHETIC_ROWS) for count in ROWS]
    sparse = {
        str(number): random.integers(0, count, (pairs, hot), dtype=np.int32)
        for number, (count, hot) in enumerate(zip(rows, HOTS, strict=True))
    }
    staging = out.with_name(f".{out.name}.files")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    np.save(staging / FILES["dense"], random.random((pairs, DENSE), dtype=np.float32))
    np.save(staging / FILES["labels"], random.integers(0, 2, (pairs, 1), dtype=np.int32))
    np.savez(staging / FILES["sparse"], **sparse)  # type: ignore[arg-type]
    _publish(out, {"name": "criteo shape", "tier": "synthetic", "pairs": pairs, "rows": rows, "files": FILES}, staging)


def _publish(out: Path, facts: dict[str, Any], staging: Path | None = None) -> None:
    staging = staging or out.with_name(f".{out.name}.files")
    staging.mkdir(parents=True, exist_ok=True)
    (staging / "dataset.json").write_text(json.dumps({"schema": 1, **facts}, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


if __name__ == "__main__":
    sys.exit(main())
