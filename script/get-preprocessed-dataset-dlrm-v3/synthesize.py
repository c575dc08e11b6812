"""Random requests: each user's history of (item, category, action) and the (item, category) pairs to be ranked."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

ITEMS = USERS = 100_000  # MLPerf has 1,000,000,000 items and 10,000,000 users, whose tables have a terabyte
CATEGORIES = 128
ACTIONS = (1, 2, 4, 8, 16)  # one bit per rating from one star to five
LONGEST = 16384
SHORTEST = 20


def main() -> int:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--history", type=int, default=256)
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.history + options.candidates >= LONGEST:
        parser.error(f"history and candidates together must be shorter than {LONGEST}")
    synthesize(options.samples, options.history, options.candidates, options.out)
    return 0


def synthesize(samples: int, history: int, candidates: int, out: Path, seed: int = 0) -> None:
    """Write `out`; lengths of histories are normally spread by a quarter of their mean, as MLPerf's generator does."""
    import numpy as np

    random = np.random.default_rng(seed)
    longest = LONGEST - candidates - 1
    lengths = random.normal(history, history / 4, samples).round().clip(SHORTEST, longest).astype(np.int64)
    events, ranked = int(lengths.sum()), samples * candidates
    items, wanted = random.integers(0, ITEMS, events), random.integers(0, ITEMS, ranked)
    arrays = {
        "users": random.integers(0, USERS, samples),
        "history": np.stack([items, items % CATEGORIES, random.choice(ACTIONS, events)], axis=1),
        "candidates": np.stack([wanted, wanted % CATEGORIES], axis=1),
        "labels": random.integers(0, 2, ranked),
    }
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    whole = {name: array.astype(np.int32) for name, array in arrays.items()}
    bounds = {"history_bounds": np.cumsum([0, *lengths]), "candidate_bounds": np.arange(samples + 1) * candidates}
    np.savez(staging / "requests.npz", **whole, **bounds)  # type: ignore[arg-type]
    facts = {"schema": 1, "name": "dlrm-v3 shape", "tier": "synthetic", "count": samples}
    facts |= {"history": history, "candidates": candidates}
    (staging / "dataset.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


if __name__ == "__main__":
    sys.exit(main())
