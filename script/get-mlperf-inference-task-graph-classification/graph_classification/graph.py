"""A heterogeneous graph, prepared for sampling: who points at whom, by target, and the features of all nodes.

`dataset.json` in the graph's folder names the files, relative to the folder or absolute. Features may be .npy files or,
as IGBH has them for its largest types, plain float32 values without a header. Everything large is memory-mapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.arrays import Array
from harness.config import Tier
from harness.errors import HarnessError
from harness.tasks.base import require

HINT = 'prepare the graph again: cmr "get preprocessed dataset igbh"'
NPY_MAGIC = b"\x93NUMPY"


class RelationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of edge: from `source` nodes to `target` nodes; files `<folder>/indptr.npy` and `indices.npy`."""

    name: str
    source: str
    target: str
    folder: str


class NodeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One type of node: how many there are, and the file of their features."""

    count: int
    features: str


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`. `labels` has one class per node of type `predicted`; `seeds` the nodes that are asked for."""

    schema: int
    name: str
    tier: Tier
    count: int
    classes: int
    width: int
    predicted: str
    labels: str
    seeds: str
    nodes: dict[str, NodeEntry]
    relations: list[RelationEntry]


@dataclass(frozen=True)
class Relation:
    """Edges by target: those into node n come from indices[indptr[n]:indptr[n + 1]]."""

    name: str
    source: str
    target: str
    indptr: Array
    indices: Array


def describe(folder: Path) -> Description:
    """Read dataset.json. Raises HarnessError of kind `dataset`."""
    path = folder / "dataset.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", HINT) from error


class Graph:
    """An opened graph.

    Raises:
        HarnessError: kind `dataset`, when a file is missing, damaged, or of another size than dataset.json says.
    """

    def __init__(self, folder: Path) -> None:
        self.info = describe(folder)
        self.relations = [_relation(folder, entry, self.info) for entry in self.info.relations]
        shape = {kind: (entry.count, self.info.width) for kind, entry in self.info.nodes.items()}
        self.features = {
            kind: read_values(folder / entry.features, shape[kind]) for kind, entry in self.info.nodes.items()
        }


def read_values(path: Path, shape: tuple[int, ...]) -> Array:
    """An array of exactly this shape from a .npy file, or from plain float32 values. Raises like `Graph`."""
    import numpy as np

    try:
        with path.open("rb") as file:
            plain = file.read(len(NPY_MAGIC)) != NPY_MAGIC
        if plain:
            values = np.memmap(path, dtype=np.float32, mode="r")
            require(values.size == np.prod(shape), f"{path} holds {values.size} values, {shape} were expected", HINT)
            return values.reshape(shape)
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", HINT) from error
    except (ValueError, EOFError) as error:
        raise HarnessError("dataset", f"{path} is not a usable array: {error}", HINT) from error
    require(array.shape == shape, f"{path} has shape {array.shape}, {shape} was expected", HINT)
    return array


def _relation(folder: Path, entry: RelationEntry, info: Description) -> Relation:
    targets, sources = info.nodes[entry.target].count, info.nodes[entry.source].count
    place = folder / entry.folder
    indptr = read_values(place / "indptr.npy", (targets + 1,))
    edges = int(indptr[-1])
    indices = read_values(place / "indices.npy", (edges,))
    within = not edges or (int(indices.min()) >= 0 and int(indices.max()) < sources) if edges < 10**7 else True
    require(within, f"{place}/indices.npy names nodes beyond the {sources} of type {entry.source!r}", HINT)
    return Relation(entry.name, entry.source, entry.target, indptr, indices)
