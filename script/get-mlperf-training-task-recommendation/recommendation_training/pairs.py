"""Click logs as dense features, categorical columns and a label per pair: two layouts on disk, one way to read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

DENSE, SPARSE = 13, 26  # columns of Criteo's terabyte
TRAIN, TEST = "terabyte_processed_train.bin", "terabyte_processed_test.bin"
COUNTS = "day_fea_count.npz"
#: MLPerf cuts larger tables to this and takes ids modulo it
LARGEST_TABLE = 40_000_000


@dataclass(frozen=True)
class Pairs:
    """Pairs of one split. The arrays may be mapped from disk: a batch reads its own rows only.

    Attributes:
        dense: float32 (n, dense columns), sparse: integers (n, sparse columns), labels: (n,), 0 or 1.
        rows: how many ids each sparse column has.
    """

    dense: Any
    sparse: Any
    labels: Any
    rows: tuple[int, ...]
    counts_of_events: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """Rows as tensors; Criteo's dense columns count events and are taken as log(1 + count)."""
        import numpy as np
        import torch

        chosen = np.asarray(indices)
        dense = torch.from_numpy(np.asarray(self.dense[chosen], np.float32))
        sparse = torch.from_numpy(np.asarray(self.sparse[chosen], np.int64)) % torch.tensor(self.rows)
        labels = torch.from_numpy(np.asarray(self.labels[chosen], np.float32))
        return {"dense": dense.log1p() if self.counts_of_events else dense, "sparse": sparse, "labels": labels}


def read_terabyte(folder: Path) -> tuple[Pairs, Pairs]:
    """MLPerf's binary form of Criteo's terabyte: rows of 40 int32, label first; 23 days and the last half day.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, cut off or empty.
    """
    import numpy as np

    path = folder / COUNTS
    try:
        with np.load(path) as file:
            rows = tuple(min(int(count), LARGEST_TABLE) for count in file["counts"])
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError("data", f"{path}: {error}", f"ls -l {folder}") from error
    if len(rows) != SPARSE:
        raise TrainingError("data", f"{path} counts {len(rows)} columns, not {SPARSE}", f"ls -l {folder}")
    return _mapped(folder / TRAIN, rows), _mapped(folder / TEST, rows)


def _mapped(path: Path, rows: tuple[int, ...]) -> Pairs:
    import numpy as np

    columns = 1 + DENSE + SPARSE
    if not path.is_file():
        raise TrainingError("data", f"{path} is missing", f"ls -l {path.parent}")
    size = path.stat().st_size
    if not size or size % (4 * columns):
        raise TrainingError("data", f"{path} has {size} bytes, no whole number of rows of {4 * columns} bytes", "")
    table = np.memmap(path, np.int32, "r").reshape(-1, columns)
    return Pairs(table[:, 1 : 1 + DENSE], table[:, 1 + DENSE :], table[:, 0], rows, counts_of_events=True)


def read_arrays(folder: Path) -> Pairs:
    """A folder with a dataset.json that names three arrays, as get-preprocessed-dataset-movielens writes it.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, damaged or does not fit the others.
    """
    import numpy as np

    facts = _facts(folder / "dataset.json")
    files = {key: folder / str(name) for key, name in facts["files"].items()}
    arrays = {key: _array(path) for key, path in files.items()}
    labels = arrays["labels"].reshape(-1)
    for key, array in arrays.items():
        if len(array) != facts["pairs"]:
            raise TrainingError("data", f"{files[key]} has {len(array)} rows, dataset.json says {facts['pairs']}", "")
    sparse = arrays["sparse"]
    if sparse.size and (sparse.max(axis=0) >= np.array(facts["rows"])).any():
        raise TrainingError("data", f"{files['sparse']} has ids beyond its tables of {facts['rows']} rows", "")
    return Pairs(arrays["dense"], sparse, labels, tuple(facts["rows"]))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {"files", "pairs", "rows"} - set(facts)
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError("data", f"{path}: {error}", f"ls -l {path.parent}") from error
    if missing or not {"dense", "sparse", "labels"} <= set(facts["files"]):
        raise TrainingError(
            "data", f"{path} does not describe pairs: no {', '.join(missing) or 'files'}", f"cat {path}"
        )
    return facts


def _array(path: Path) -> Any:
    """An array, or the members 0, 1, … of an archive side by side."""
    import zipfile

    import numpy as np

    try:
        loaded = np.load(path)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded as file:
            return np.concatenate([file[str(number)] for number in range(len(file.files))], axis=1)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError("data", f"{path} cannot be read: {error}", f"ls -l {path}") from error
