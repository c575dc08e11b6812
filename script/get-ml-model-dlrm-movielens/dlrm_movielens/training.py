"""Train on the prepared pairs: three epochs of AdamW, after which the network begins to learn by heart."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

EPOCHS = 3
BATCH = 1024
RATE = 3e-3


def main() -> int:
    """Command line entry; 1 with one line on stderr when the pairs cannot be read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        loss = train(options.pairs, options.seed, options.out)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot train: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"trained for {EPOCHS} epochs, last loss {loss:.4f}")
    return 0


def train(pairs: Path, seed: int, out: Path) -> float:
    """Write the state dict to `out`; returns the last epoch's mean loss. Raises OSError, ValueError, KeyError."""
    import numpy as np
    import torch

    from dlrm_movielens.network import Dlrm

    facts = json.loads((pairs / "dataset.json").read_text(encoding="utf-8"))
    dense = torch.from_numpy(np.load(pairs / "dense.npy"))
    with np.load(pairs / "sparse.npz") as file:
        sparse = torch.from_numpy(np.concatenate([file[str(column)] for column in range(len(file.files))], axis=1))
    labels = torch.from_numpy(np.load(pairs / "labels.npy")[:, 0].astype(np.float32))
    if not len(dense) == len(sparse) == len(labels) > 0:
        raise ValueError(f"{pairs} holds {len(dense)} dense rows, {len(sparse)} sparse ones and {len(labels)} labels")
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = Dlrm(facts["rows"], dense.shape[1]).start_small()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-2)
    losses: list[float] = []
    for _ in range(EPOCHS):
        losses = []
        for chosen in torch.split(torch.randperm(len(labels)), BATCH):
            scores = network.logits(dense[chosen], sparse[chosen])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(float(loss.detach()))
    torch.save(network.state_dict(), out)
    return sum(losses) / len(losses)


if __name__ == "__main__":
    sys.exit(main())
