"""Whole trainings: ranks in processes of their own, watched from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch
from tests.training.conftest import HERE, Configure

from trainer import curve, mllog, olympic, rulesets, scores, supervise
from trainer.checkpoint import CHECKPOINT
from trainer.errors import TrainingError
from trainer.occupancy import occupied
from trainer.result import SUMMARY, TrainResult

ROOT = HERE.parents[1]
PACKAGE = ROOT / "script" / "app-mlperf-training"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / CHECKPOINT, weights_only=True)["model"]
    return state


def test_a_series_of_runs_leaves_results_logs_and_a_score(configure: Configure, tmp_path: Path) -> None:
    results = supervise.run(configure(runs=2, organization="Example", platform="box"))
    assert [one.seed for one in results] == [0, 1]
    assert all(one.reached and one.failure is None for one in results)
    for index, result in enumerate(results):
        folder = tmp_path / "out" / f"run_{index}"
        assert TrainResult.read(folder / "result.json") == result
        logged_s = mllog.time_to_train(folder / f"result_{index}.txt")
        assert result.time_to_train_s == pytest.approx(logged_s, abs=0.05)
    summary = json.loads((tmp_path / "out" / SUMMARY).read_text())
    score = olympic.score([one.time_to_train_s for one in results], rulesets.of("toy"))
    assert (summary["reached"], summary["score_s"]) == (2, score.seconds)
    assert not summary["official"]


@pytest.mark.parametrize("strategy", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_two_ranks_train_as_one(configure: Configure, tmp_path: Path, strategy: str) -> None:
    alone = configure("Plain", recipe={"epochs": 2}, target=2.0, keep_checkpoint=True, checkpoint_every_s=0.0)
    (one,) = supervise.run(alone)
    shared = msgspec.structs.replace(alone, processes=2, strategy=strategy, output_dir=str(tmp_path / "two"))
    (two,) = supervise.run(shared)
    assert two.failure is None, two.failure
    assert two.quality.value == one.quality.value
    assert two.samples_seen == one.samples_seen
    whole, parts = weights(tmp_path / "out" / "run_0"), weights(tmp_path / "two" / "run_0")
    assert all(torch.allclose(whole[name], parts[name], atol=1e-6) for name in whole)


@pytest.mark.slow
def test_ranks_judge_with_the_same_batch_statistics(configure: Configure) -> None:
    (result,) = supervise.run(configure("Normalised", recipe={"epochs": 1}, processes=2, log=False))
    assert (result.failure, result.quality.value) == (None, 0.0)


@pytest.mark.slow
def test_two_nodes_train_as_one(configure: Configure, tmp_path: Path) -> None:
    config = configure("Plain", recipe={"epochs": 2}, target=2.0, nodes=2, rendezvous="127.0.0.1:29611")
    files = []
    for rank in range(2):
        files.append(tmp_path / f"node_{rank}.json")
        files[-1].write_text(msgspec.structs.replace(config, node_rank=rank).to_json())
    nodes = [_started(file) for file in files]
    assert [node.wait(120) for node in nodes] == [2, 2]
    result = TrainResult.read(tmp_path / "out" / "run_0" / "result.json")
    assert (result.failure, result.samples_seen) == (None, 512)


def test_a_killed_training_is_resumed_to_the_same_weights(configure: Configure, tmp_path: Path) -> None:
    data = tmp_path / "signals"
    data.mkdir()
    base = configure("Slow", recipe={"epochs": 5}, checkpoint_every_s=0.0, keep_checkpoint=True, data=str(data))
    file = tmp_path / "config.json"
    file.write_text(base.to_json())
    parent = _started(file)
    _until(lambda: (data / "third").exists() and _checkpoint_of(tmp_path) >= 3)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _until(lambda: not _ranks_of(tmp_path / "out"))
    (data / "fast").touch()
    (resumed,) = supervise.run(msgspec.structs.replace(base, resume=True))
    assert resumed.failure is None and resumed.resumed == 1
    points = [point.step for point in curve.read(tmp_path / "out" / "run_0" / curve.CURVE) if point.loss is not None]
    assert points == list(range(1, 41))
    supervise.run(msgspec.structs.replace(base, output_dir=str(tmp_path / "whole")))
    whole, again = weights(tmp_path / "whole" / "run_0"), weights(tmp_path / "out" / "run_0")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def _started(file: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    return subprocess.Popen([sys.executable, "-m", "trainer", "run", str(file), "--quiet"], env=environment)


def _checkpoint_of(folder: Path) -> int:
    path = folder / "out" / "run_0" / CHECKPOINT
    return int(torch.load(path, weights_only=True)["position"]["epoch"]) if path.is_file() else 0


def _ranks_of(folder: Path) -> list[str]:
    needle = str(folder).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if b"trainer.child" in line and needle in line:
            found.append(entry.parent.name)
    return found


def _until(condition, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_finished_runs_are_not_repeated(configure: Configure) -> None:
    first = supervise.run(configure())
    assert supervise.run(configure(resume=True)) == first


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        ("Diverging", "diverged", "the loss is inf"),
        ("Hungry", "memory", "out of memory"),
        ("Dying", "killed", "the training process was ended by SIGKILL"),
        ("Buggy", "task", "KeyError: 'z'"),
        ("BrokenFile", "data", "train.bin: it ends in the middle"),
        ("LostFile", "data", "/nonexistent/labels.csv: No such file"),
    ],
)
def test_a_failure_is_diagnosed(configure: Configure, tmp_path: Path, task: str, kind: str, words: str) -> None:
    (result,) = supervise.run(configure(task, log=False, data=str(tmp_path)))
    assert result.failure is not None
    assert (result.failure.kind, result.reached, result.time_to_train_s) == (kind, False, None)
    assert words in result.failure.cause
    assert Path(result.failure.log).is_file()


def test_the_rank_that_died_is_named(configure: Configure) -> None:
    (result,) = supervise.run(configure("Dying", processes=2, log=False))
    assert result.failure is not None
    assert "rank 1 was ended by SIGKILL" in result.failure.cause
    assert "--resume" in result.failure.hint


@pytest.mark.slow
def test_a_training_that_hangs_is_ended(configure: Configure) -> None:
    (result,) = supervise.run(configure("Stuck", log=False, hang_timeout_s=8.0))
    assert result.failure is not None and result.failure.kind == "hang"


def test_a_folder_takes_one_training_at_a_time(configure: Configure, tmp_path: Path) -> None:
    with occupied(tmp_path / "out" / "run_0"), pytest.raises(TrainingError, match="another process is training in"):
        supervise.run(configure())
    assert supervise.run(configure(log=False))[0].reached


def test_a_failed_run_ends_the_series(configure: Configure) -> None:
    results = supervise.run(configure("Diverging", runs=3, log=False))
    assert len(results) == 1
    assert scores.summary(results).reached == 0


def test_an_output_folder_that_cannot_be_made_is_named(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="cannot be used: Not a directory"):
        supervise.run(configure(output_dir=str(tmp_path / "file" / "out")))


def test_the_command_line_speaks_in_words(configure: Configure, tmp_path: Path, capsys) -> None:
    from trainer.__main__ import main

    (tmp_path / "bad.json").write_text('{"task": "toys:Blobs", "acumulation": 3}')
    assert main(["run", str(tmp_path / "bad.json")]) == 1
    assert "acumulation" in capsys.readouterr().err
    (tmp_path / "late.json").write_text(configure("Hopeless", log=False, recipe={"epochs": 1}).to_json())
    assert main(["run", str(tmp_path / "late.json")]) == 2


def test_the_child_says_what_is_wrong_with_its_configuration(tmp_path: Path) -> None:
    from trainer import child

    (tmp_path / "config.json").write_text("{}")
    assert child.main(tmp_path, tmp_path / "config.json") == 1
    assert "task" in json.loads((tmp_path / "failure_0.json").read_text())["cause"]
