"""The command that starts the ranks of one training on this host."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from trainer.config import TrainConfig


def command(config: TrainConfig, folder: Path, file: Path) -> list[str]:
    """One process is started as it is; more go through torchrun, which also joins nodes. ``file`` is the config's."""
    child = ["-m", "trainer.child", str(folder), str(file)]
    if config.world == 1:
        return [sys.executable, *child]
    return [sys.executable, "-m", "torch.distributed.run", *_torchrun(config), *child]


def _torchrun(config: TrainConfig) -> list[str]:
    common = [f"--nproc_per_node={config.processes}", "--max_restarts=0"]
    if config.nodes == 1:
        return [*common, "--standalone"]
    address, _, port = config.rendezvous.rpartition(":")
    return [
        *common,
        f"--nnodes={config.nodes}",
        f"--node_rank={config.node_rank}",
        f"--master_addr={address}",
        f"--master_port={port}",
    ]


def environment(config: TrainConfig, inherited: Mapping[str, str]) -> dict[str, str]:
    """Import paths for the ranks, and how many threads each may use."""
    package = str(Path(__file__).resolve().parent.parent)
    paths = [package, *config.task_path, *filter(None, [inherited.get("PYTHONPATH")])]
    found = {**inherited, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    if config.threads:
        found["OMP_NUM_THREADS"] = found["MKL_NUM_THREADS"] = str(config.threads)
    return found
