"""Trainings through submitit: its local mode runs, Slurm's names are read."""

from __future__ import annotations

import pytest
from tests.training.conftest import HERE, Configure

from trainer import cluster
from trainer.errors import TrainingError


@pytest.mark.parametrize(
    ("nodelist", "first"),
    [("n1", "n1"), ("n1,n2", "n1"), ("node[003-006,009]", "node003"), ("gpu-[7]", "gpu-7"), ("a,node[1-2]", "a")],
)
def test_the_first_node_of_a_list(nodelist: str, first: str) -> None:
    assert cluster.first_host(nodelist) == first


def test_a_node_finds_its_place_in_what_slurm_says(configure: Configure) -> None:
    config = configure(nodes=2, rendezvous="to-be-found:1", processes=4)
    here = cluster.NodeTask(config).for_this_node({"SLURM_NODEID": "1", "SLURM_JOB_NODELIST": "node[07-08]"})
    assert (here.node_rank, here.rendezvous) == (1, f"node07:{cluster.PORT}")


def test_resources_are_asked_for_per_node(configure: Configure) -> None:
    found = cluster._resources(configure(processes=8, threads=4, device="cuda"), "slurm", "gpu", 2)
    assert found["gpus_per_node"] == 8 and found["tasks_per_node"] == 1 and found["cpus_per_task"] == 32
    assert (found["timeout_min"], found["slurm_partition"]) == (120, "gpu")


def test_no_slurm_is_said_in_words(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TrainingError, match=r"the cluster job ended without a result: .+"):
        cluster.run(configure(), "slurm")


@pytest.mark.slow
def test_two_ranks_in_a_local_job(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[1] / "script" / "app-mlperf-training"))
    (result,) = cluster.run(configure(processes=2, log=False), "local")
    assert result.reached
