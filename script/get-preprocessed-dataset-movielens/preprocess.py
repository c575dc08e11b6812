"""Write MovieLens 100k as pairs: four fifths for training, one for the benchmark, drawn with a fixed seed.

Both folders hold dense.npy, sparse.npz (members 0, 1, …), labels.npy and dataset.json, which is how MLPerf's multi-hot
Criteo files look. They appear only when all are complete.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from movielens import Pairs, read_pairs


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ratings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        convert(options.ratings, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(ratings: Path, out: Path) -> None:
    """Read the folder `ratings` and write `out`. Raises OSError or ValueError."""
    import numpy as np

    pairs = read_pairs(ratings)
    order = np.random.default_rng(0).permutation(len(pairs.labels))
    cut = len(order) * 4 // 5
    if cut == len(order):
        raise ValueError(f"{ratings} has {len(order)} ratings, too few to keep some for the test")
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    for name, chosen in (("training", order[:cut]), ("test", order[cut:])):
        _write(staging / name, pairs, chosen, name)
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def _write(folder: Path, pairs: Pairs, chosen: Any, name: str) -> None:
    import numpy as np

    folder.mkdir(parents=True)
    np.save(folder / "dense.npy", pairs.dense[chosen])
    np.save(folder / "labels.npy", pairs.labels[chosen])
    columns = {str(number): pairs.sparse[chosen, number : number + 1] for number in range(len(pairs.rows))}
    np.savez(folder / "sparse.npz", **columns)  # type: ignore[arg-type]
    facts = {"schema": 1, "name": f"movielens-100k {name}", "tier": "embedded", "pairs": len(chosen)}
    files = {"dense": "dense.npy", "sparse": "sparse.npz", "labels": "labels.npy"}
    text = json.dumps({**facts, "rows": pairs.rows, "files": files}, indent=1)
    (folder / "dataset.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
