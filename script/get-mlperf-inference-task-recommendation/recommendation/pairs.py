"""User-item pairs in MLPerf's multi-hot Criteo layout, and how they are gathered into samples.

`dataset.json` names three files: dense features (float32, pairs x features), labels (int32, pairs x 1), and an .npz
whose members 0, 1, … hold the ids of each categorical feature (int32, pairs x ids). All are opened as memory maps: the
official ones have 162 GB.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.tasks.base import require, require_tier

SEED = 123  # of the reference, --numpy-rand-seed
# Sizes of samples in pairs and their shares in twentieths: the reference's tools/dist_quantile.txt.
SIZES = (100, 200, 300, 400, 500, 600, 700)
TWENTIETHS = (2, 12, 2, 1, 1, 1, 1)


class PairFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Paths, absolute or relative to dataset.json."""

    dense: str
    sparse: str
    labels: str


class PairsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: the first `pairs` rows are used; `rows` is how many values each categorical feature can take."""

    schema: int
    name: str
    tier: Tier
    pairs: int
    rows: tuple[int, ...]
    files: PairFiles


def sample_bounds(pairs: int) -> Array:
    """First pair of each sample, and at the end `pairs`: int64.

    Drawn as the reference draws them (MT19937, seed 123), so that 89,137,319 pairs make its 330,067 samples. The last
    sample may be smaller than any size.
    """
    import numpy as np

    sizes = np.repeat(SIZES, TWENTIETHS)
    drawn = np.random.RandomState(SEED).randint(0, len(sizes), pairs // SIZES[0] + 1)
    ends = np.cumsum(sizes[drawn])
    inside = ends[ends < pairs]
    return np.concatenate([[0], inside, [pairs]]).astype(np.int64)


class Pairs:
    """The three files, opened and checked against each other.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or unreadable or counts, shapes or types differ.
    """

    def __init__(self, config: RunConfig) -> None:
        self.folder = Path(config.dataset)
        script = "movielens" if config.tier == "embedded" else f"criteo _{config.tier}"
        self._hint = f'prepare the pairs again: cmr "get preprocessed dataset {script}" --new'
        self.info = _read_info(self.folder / "dataset.json", self._hint)
        require_tier(config, self.info.tier, self.folder)
        files = self.info.files
        self.dense = _open(self.folder / files.dense, self._hint)
        self.labels = _open(self.folder / files.labels, self._hint)
        members = map_members(self.folder / files.sparse, self._hint)
        names = [str(number) for number in range(len(self.info.rows))]
        require(
            sorted(members) == sorted(names),
            f"{files.sparse} has members {_some(members)}, not 0 to {len(names) - 1}",
            self._hint,
        )
        self.sparse = [members[name] for name in names]
        self._check("float32", files.dense, self.dense, None)
        self._check("int32", files.labels, self.labels, 1)
        for name, ids in zip(names, self.sparse, strict=True):
            self._check("int32", f"{files.sparse}, member {name}", ids, None)

    def _check(self, dtype: str, name: str, array: Array, width: int | None) -> None:
        require(self.info.pairs > 0, f"{self.folder}/dataset.json says {self.info.pairs} pairs", self._hint)
        require(
            array.ndim == 2 and len(array) >= self.info.pairs and width in (None, array.shape[1]),
            f"{name} in {self.folder} has shape {array.shape}, {self.info.pairs} rows are needed",
            self._hint,
        )
        require(array.dtype == dtype, f"{name} in {self.folder} holds {array.dtype}, expected {dtype}", self._hint)

    def ids(self, begin: int, end: int) -> Array:
        """Categorical ids of pairs `begin` to `end` side by side, int32 (end - begin, ids)."""
        import numpy as np

        return np.concatenate([feature[begin:end] for feature in self.sparse], axis=1)


def map_members(path: Path, hint: str = "") -> dict[str, Array]:
    """Memory maps of an .npz's arrays by name (without .npy), which must be stored uncompressed as numpy.savez does.

    Raises:
        HarnessError: kind `dataset`, when the file is missing, damaged or compressed.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            return {info.filename.removesuffix(".npy"): _map_member(file, info) for info in archive.infolist()}
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", hint) from error
    except (zipfile.BadZipFile, ValueError) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npz file: {error}", hint) from error


def _map_member(file: Any, info: zipfile.ZipInfo) -> Array:
    import numpy as np

    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"member {info.filename} is compressed")
    file.seek(info.header_offset)
    header = file.read(30)  # the local header repeats the name, and its extra field may differ from the directory's
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    order: Any = "F" if fortran else "C"
    return np.memmap(file.name, dtype=dtype, mode="r", offset=file.tell(), shape=shape, order=order)


def _open(path: Path, hint: str) -> Array:
    import numpy as np

    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", hint) from error
    except (ValueError, EOFError) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npy file: {error}", hint) from error
    return array


def _read_info(path: Path, hint: str) -> PairsInfo:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PairsInfo)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", hint) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", hint) from error


def _some(names: dict[str, Array]) -> str:
    return ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
