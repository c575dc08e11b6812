"""Write a small random graph in IGBH's layout: the same node types, relations, feature width and classes."""

from __future__ import annotations

import argparse
from pathlib import Path

WIDTH, CLASSES = 1024, 2983
NODES = {"paper": 8000, "author": 12000, "institute": 300, "fos": 1500, "journal": 200, "conference": 60}
# Edges per source node, about as in IGBH.
RELATIONS = {
    ("paper", "cites", "paper"): 12.0,
    ("paper", "written_by", "author"): 3.0,
    ("author", "affiliated_to", "institute"): 0.2,
    ("paper", "topic", "fos"): 10.0,
    ("paper", "published", "journal"): 0.7,
    ("paper", "venue", "conference"): 0.3,
}
ASKED = 1024


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    synthesize(options.out, options.seed)


def synthesize(out: Path, seed: int, nodes: dict[str, int] = NODES, asked: int = ASKED, width: int = WIDTH) -> None:
    """Write features, labels, edges and the list of asked papers. The same seed gives the same graph."""
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    for kind, count in nodes.items():
        (out / kind).mkdir(parents=True, exist_ok=True)
        np.save(out / kind / "node_feat.npy", random.standard_normal((count, width), dtype=np.float32))
    labels = random.integers(0, CLASSES, nodes["paper"]).astype(np.float32)
    np.save(out / "paper" / "node_label_2K.npy", labels)
    for (source, name, target), degree in RELATIONS.items():
        folder = out / f"{source}__{name}__{target}"
        folder.mkdir(exist_ok=True)
        count = int(degree * nodes[source])
        # Squares favour low numbers: a few nodes have many neighbours, as in real graphs.
        ends = [random.integers(0, nodes[source], count), (random.random(count) ** 2 * nodes[target]).astype(np.int64)]
        np.save(folder / "edge_index.npy", np.unique(np.stack(ends, axis=1), axis=0))
    torch.save(torch.from_numpy(random.permutation(nodes["paper"])[:asked]), out / "val_idx.pt")


if __name__ == "__main__":
    main()
