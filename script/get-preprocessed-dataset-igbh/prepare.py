"""Sort the edges of an IGBH graph by target, and add the reversed relations, as the reference's loader does.

Papers cite papers in both directions, each paper also itself, once. Writes `<relation>/indptr.npy`, `indices.npy`,
`seeds.npy` and `dataset.json` into a folder that appears only when all of it is complete. Edges are read in pieces: a
graph of billions of edges needs memory for its nodes, not for its edges.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

PIECE = 1 << 24  # edges
WIDTH, CLASSES = 1024, 2983
# The files of these sizes have no header, so that the number of nodes must be known.
NODES_OF_FULL = {
    "paper": 269_346_174,
    "author": 277_220_883,
    "institute": 26_918,
    "fos": 712_960,
    "journal": 49_052,
    "conference": 4_547,
}
KINDS = tuple(NODES_OF_FULL)
RELATIONS = (
    ("paper", "cites", "paper"),
    ("paper", "written_by", "author"),
    ("author", "affiliated_to", "institute"),
    ("paper", "topic", "fos"),
    ("paper", "published", "journal"),
    ("paper", "venue", "conference"),
)
Pieces = Callable[[], "Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]"]


@dataclass(frozen=True)
class Relation:
    """A relation to be written; `pieces` gives its edges as (sources, targets), and may be called again."""

    name: str
    source: str
    target: str
    pieces: Pieces


def main() -> int:
    """Command line entry; 1 with one line on stderr when the graph cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--tier", choices=("full", "synthetic"), required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        prepare(options.graph, options.tier, options.size, options.out)
    except (OSError, ValueError, EOFError) as error:
        print(f"cannot prepare the graph: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(graph: Path, tier: str, size: str, out: Path) -> None:
    """Prepare the graph in folder `graph`. Raises OSError or ValueError naming the file."""
    import numpy as np

    nodes = {kind: count_nodes(graph, kind, size) for kind in KINDS}
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    relations = [one for ends in RELATIONS for one in both_ways(graph, *ends, nodes)]
    for relation in relations:
        write_sorted(relation, nodes, staging / relation.name)
    seeds = read_seeds(graph / "val_idx.pt", nodes["paper"])
    np.save(staging / "seeds.npy", seeds)
    described = {
        "schema": 1,
        "name": f"igbh {size}",
        "tier": tier,
        "count": len(seeds),
        "classes": CLASSES,
        "width": WIDTH,
        "predicted": "paper",
        "labels": str(graph / "paper" / "node_label_2K.npy"),
        "seeds": "seeds.npy",
        "nodes": {k: {"count": n, "features": str(graph / k / "node_feat.npy")} for k, n in nodes.items()},
        "relations": [{"name": r.name, "source": r.source, "target": r.target, "folder": r.name} for r in relations],
    }
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def count_nodes(graph: Path, kind: str, size: str) -> int:
    """How many nodes of a type there are. Raises ValueError when the features have another width."""
    import numpy as np

    path = graph / kind / "node_feat.npy"
    with path.open("rb") as file:
        plain = file.read(6) != b"\x93NUMPY"
    if plain:
        expected, found = 4 * WIDTH * NODES_OF_FULL[kind], path.stat().st_size
        if size != "full" or found != expected:
            raise ValueError(f"{path} is no .npy file, and its {found} bytes are not the {expected} of IGBH-full")
        return NODES_OF_FULL[kind]
    shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    if len(shape) != 2 or shape[1] != WIDTH:
        raise ValueError(f"{path} has shape {shape}, features of width {WIDTH} were expected")
    return int(shape[0])


def both_ways(graph: Path, source: str, name: str, target: str, nodes: dict[str, int]) -> list[Relation]:
    """A relation and its reverse; citations become one relation in both directions."""
    path = graph / f"{source}__{name}__{target}" / "edge_index.npy"
    if source == target:
        return [Relation(name, source, target, lambda: _mutual(path, nodes[source]))]
    return [
        Relation(name, source, target, lambda: _read(path)),
        Relation(f"rev_{name}", target, source, lambda: ((ends[1], ends[0]) for ends in _read(path))),
    ]


def _read(path: Path) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    import numpy as np

    edges = np.load(path, mmap_mode="r", allow_pickle=False)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"{path} has shape {edges.shape}, two columns were expected")
    for start in range(0, len(edges), PIECE):
        piece = np.asarray(edges[start : start + PIECE], dtype=np.int64)
        yield piece[:, 0], piece[:, 1]


def _mutual(path: Path, count: int) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    import numpy as np

    for source, target in _read(path):
        other = source != target
        yield np.concatenate([source[other], target[other]]), np.concatenate([target[other], source[other]])
    for start in range(0, count, PIECE):
        itself = np.arange(start, min(start + PIECE, count))
        yield itself, itself


def write_sorted(relation: Relation, nodes: dict[str, int], folder: Path) -> None:
    """Counting sort by target: the first pass counts, the second puts each edge into its place."""
    import numpy as np

    count = nodes[relation.target]
    indptr = np.zeros(count + 1, dtype=np.int64)
    for source, target in relation.pieces():
        _require_within(source, nodes[relation.source], relation.name)
        _require_within(target, count, relation.name)
        indptr[1:] += np.bincount(target, minlength=count)
    np.cumsum(indptr, out=indptr)
    folder.mkdir()
    np.save(folder / "indptr.npy", indptr)
    shape = (int(indptr[-1]),)
    indices = np.lib.format.open_memmap(folder / "indices.npy", mode="w+", dtype=np.int64, shape=shape)
    following = indptr[:-1].copy()
    for source, target in relation.pieces():
        order = np.argsort(target, kind="stable")
        arrived = target[order]
        first = np.searchsorted(arrived, arrived, side="left")
        indices[following[arrived] + np.arange(len(arrived)) - first] = source[order]
        following += np.bincount(target, minlength=count)
    indices.flush()


def _require_within(numbers: np.ndarray[Any, Any], count: int, name: str) -> None:
    if len(numbers) and (int(numbers.min()) < 0 or int(numbers.max()) >= count):
        raise ValueError(f"relation {name} names node {int(numbers.max())}, there are {count}")


def read_seeds(path: Path, papers: int) -> np.ndarray[Any, Any]:
    """The papers that are asked for. Raises ValueError when they are no list of papers."""
    import numpy as np
    import torch

    try:
        seeds = np.asarray(torch.load(path, weights_only=True), dtype=np.int64)
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0][:200]}") from None
    if seeds.ndim != 1 or not len(seeds) or seeds.min() < 0 or seeds.max() >= papers:
        raise ValueError(f"{path} is not a list of papers between 0 and {papers - 1}")
    return seeds


if __name__ == "__main__":
    sys.exit(main())
