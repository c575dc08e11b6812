"""A training on a cluster: Slurm through submitit, or submitit's local mode to try the same thing on one host."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from trainer import supervise
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.result import TrainResult

Kind = Literal["local", "slurm"]
JOBS = "jobs"
PORT = 29_517


@dataclass(frozen=True)
class NodeTask:
    """What runs once on every node of the job: this node's ranks, which torchrun starts and joins."""

    config: TrainConfig

    def __call__(self) -> list[TrainResult]:
        return supervise.run(self.for_this_node(os.environ))

    def for_this_node(self, environ: os._Environ[str] | dict[str, str]) -> TrainConfig:
        """The configuration with this node's place in the job, from what Slurm says about it."""
        if self.config.nodes == 1:
            return self.config
        rank = int(environ["SLURM_NODEID"])
        first = first_host(environ["SLURM_JOB_NODELIST"])
        return msgspec.structs.replace(self.config, node_rank=rank, rendezvous=f"{first}:{PORT}")

    def checkpoint(self) -> object:
        """Called by submitit when the job is preempted or out of time: it is queued again and goes on."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(NodeTask(msgspec.structs.replace(self.config, resume=True)))


def run(config: TrainConfig, kind: Kind, partition: str = "", hours: float = 24.0) -> list[TrainResult]:
    """Submit the training, wait for it, and give the results of its first node.

    Raises:
        TrainingError: kind `cluster`, where the job cannot be submitted or ended without a result.
    """
    try:
        import submitit
    except ModuleNotFoundError as error:
        raise TrainingError("cluster", "--cluster needs the Python package submitit", "pip install submitit") from error
    folder = Path(config.output_dir).absolute() / JOBS
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=kind)
        executor.update_parameters(**_resources(config, kind, partition, hours))
        job = executor.submit(NodeTask(config))
        results: list[TrainResult] = job.results()[0]
    except Exception as error:  # submitit raises its own kinds, and what Slurm's commands say
        cause = f"the cluster job ended without a result: {_last_line(str(error)) or type(error).__name__}"
        raise TrainingError("cluster", cause, f"ls {folder}") from error
    return results


def _last_line(text: str) -> str:
    """Where a traceback has its cause; submitit puts dashes around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip("- ")]
    return lines[-1][:200] if lines else ""


def _resources(config: TrainConfig, kind: Kind, partition: str, hours: float) -> dict[str, object]:
    """One task per node; torchrun makes the ranks out of it."""
    found: dict[str, object] = {"nodes": config.nodes, "tasks_per_node": 1, "timeout_min": int(hours * 60)}
    if config.device != "cpu":
        found["gpus_per_node"] = config.processes
    if config.threads:
        found["cpus_per_task"] = config.threads * config.processes
    if kind == "slurm" and partition:
        found["slurm_partition"] = partition
    return found


def first_host(nodelist: str) -> str:
    """The first name of a Slurm node list, as ``node[003-006,009]``; asks scontrol where the list is not simple."""
    head, bracket, rest = nodelist.partition("[")
    if not bracket:
        return nodelist.split(",")[0]
    if "," in head:
        return head.split(",")[0]
    if rest.count("]") == 1 and rest.endswith("]"):
        return head + rest.rstrip("]").split(",")[0].split("-")[0]
    shown = subprocess.run(["scontrol", "show", "hostnames", nodelist], capture_output=True, text=True, check=True)
    return shown.stdout.split()[0]
