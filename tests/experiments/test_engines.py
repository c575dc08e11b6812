"""Optuna as the one who chooses; submitit and Ray as those who run. All are the real libraries."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from experiment_lab import Lab, stored, sweep_over
from tests.workbench import CommandLine

from cm4bench_experiments import Point, Sweep
from cm4bench_experiments.conduct import Conductor
from cm4bench_experiments.executors.local import Forks
from cm4bench_experiments.search import Searched
from cm4bench_experiments.source import Known

RUN = ("run", "experiment", "--tags=measure,tiny", "--explore.size=1,2", "--explore.kind=good,broken", "--dir=s")


def valley(i: dict[str, Any]) -> dict[str, Any]:
    return stored(i, 1000.0 - (i["size"] - 37) ** 2)


def search(lab: Lab, sweep: Sweep) -> list[int]:
    """The sizes that ran, in their order."""
    lab.experiment.open(sweep)
    known, ran = Known(), []
    for ask, status in lab.experiment.known():
        known.add(ask, status)
    assert sweep.search is not None
    source = Searched(sweep, sweep.search, known)
    tell = lambda ask, status: ran.append(ask.point.settings["size"])  # noqa: E731
    Conductor(lab.experiment, sweep, lab.place, source, known, Forks(lab.access), tell).run()
    return ran


def test_a_search_finds_the_neighbourhood_of_the_best_in_a_part_of_the_grid(tmp_path: Path):
    sweep = sweep_over(grid={"size": list(range(1, 101))}, search={"trials": 25}, where=["size != 50"])
    ran = search(Lab(tmp_path, valley), sweep)
    assert len(ran) == len(set(ran)) == 25
    assert 50 not in ran
    assert min(abs(size - 37) for size in ran) <= 5


def test_a_search_goes_on_where_it_stopped(tmp_path: Path):
    lab, grid = Lab(tmp_path, valley), {"size": list(range(1, 41))}
    first = search(lab, sweep_over(grid=grid, search={"trials": 4}))
    # half of a repeat was under way when it was killed
    (lab.experiment.point(Point({"size": first[-1]})).path / "status.json").unlink()
    second = search(lab, sweep_over(grid=grid, search={"trials": 7}))
    assert len({*first, *second}) == 7
    assert not set(first[:-1]) & set(second)


def test_a_search_of_more_trials_than_points_ends(tmp_path: Path):
    assert sorted(search(Lab(tmp_path, valley), sweep_over(search={"trials": 30}))) == [1, 2, 3]


def test_submitit_runs_the_same_sweep(line: CommandLine):
    done = line("cm", *RUN, "--executor=submitit-local", "--jobs=2")
    _as_everywhere(done, line)
    assert list((line.cwd / "s" / "submitit").glob("*_log.out"))


def test_several_at_a_time_still_measure_one_after_the_other(line: CommandLine):
    done = line("cm", *RUN, "--jobs=4", "--sleep=0.2")
    _as_everywhere(done, line)
    ends = sorted(path.stat().st_mtime for path in line.cwd.glob("s/points/*good*/status.json"))
    assert ends[1] - ends[0] >= 0.2


@pytest.mark.slow
def test_ray_runs_the_same_sweep(line: CommandLine):
    pytest.importorskip("ray")
    # the names of Ray's sockets must be short
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ray") as short:
        done = line("cm", *RUN, "--executor=ray", "--jobs=2", "--cluster.num_cpus=1", f"--cluster._temp_dir={short}")
    _as_everywhere(done, line)


def test_a_cluster_that_is_not_there_is_named(line: CommandLine):
    done = line("cm", *RUN, "--executor=slurm")
    assert done.returncode != 0
    assert "submitit refuses" in done.stderr
    assert "Traceback" not in done.stderr


def _as_everywhere(done: Any, line: CommandLine) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 done, 2 failed" in done.stdout
    assert "--size=2 --kind=good" in done.stdout
    assert sorted((line.cwd.parent / "calls").read_text().split("\n")[:4]) == [
        "1 broken",
        "1 good",
        "2 broken",
        "2 good",
    ]
