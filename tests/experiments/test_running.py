"""Points that end well, fail, crash, hang, are killed or run out of budget."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from experiment_lab import Lab, stored, sweep_over

from cm4bench_experiments import ExperimentError, Point
from cm4bench_experiments.child import live
from cm4bench_experiments.conduct import alone, ask_of
from cm4bench_experiments.devices import device_of, reserved, resources
from cm4bench_experiments.figures import configurations


def unruly(i: dict[str, Any]) -> dict[str, Any]:
    """Size 1 is fine; the others end in every bad way."""
    match i["size"]:
        case 2:
            return {"return": 1, "error": "error: it is too hot\n\nnext: wait"}
        case 3:
            raise ZeroDivisionError("of the script")
        case 4:
            os._exit(7)
        case 5:
            os.kill(os.getpid(), signal.SIGKILL)
    return stored(i, 100.0)


def test_a_point_that_fails_is_recorded_and_the_rest_goes_on(tmp_path: Path):
    lab = Lab(tmp_path, unruly)
    lab.run(sweep_over(grid={"size": [5, 4, 3, 2, 1]}))
    causes = {ask.point.settings["size"]: (status.state, status.cause) for ask, status in lab.seen}
    assert causes[1] == ("done", "")
    assert causes[2] == ("failed", "it is too hot")
    assert causes[3] == ("failed", "ZeroDivisionError: of the script")
    assert "code 7" in causes[4][1]
    assert "code -9" in causes[5][1]


def test_a_point_that_hangs_is_ended_with_all_it_started(tmp_path: Path):
    def hang(i: dict[str, Any]) -> dict[str, Any]:
        nap = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (tmp_path / "pid").write_text(str(nap.pid))
        nap.wait()
        return {"return": 0}

    lab = Lab(tmp_path, hang)
    lab.run(sweep_over(grid={"size": [1]}, timeout="5s"))
    assert lab.seen[0][1].state == "timed out"
    assert "5 s" in lab.seen[0][1].cause
    assert not _alive(int((tmp_path / "pid").read_text()))


def test_an_interrupted_run_is_no_failure_of_its_point(tmp_path: Path):
    lab = Lab(tmp_path, lambda i: {"return": 130, "error": "interrupted"})
    sweep = sweep_over(grid={"size": [1]})
    ask = ask_of(sweep, Point({"size": 1}), lab.place)
    lab.experiment.open(sweep)
    folder = lab.experiment.prepare(ask)
    child = multiprocessing.get_context("fork").Process(target=live, args=(folder, lab.access, os.getpid()))
    child.start()
    child.join()
    assert child.exitcode == 130
    assert folder.status() is None


def test_what_is_known_does_not_run_again(lab: Lab):
    lab.run(sweep_over(grid={"size": [1, 2]}))
    lab.run(sweep_over(grid={"size": [1, 2, 3]}))
    assert [ask.point.settings for ask, _ in lab.seen] == [{"size": 3}]


def test_a_damaged_status_is_a_missing_point(lab: Lab):
    lab.run(sweep_over())
    (lab.experiment.point(Point({"size": 2})).path / "status.json").write_text('{"state": "do')
    lab.run(sweep_over())
    assert [ask.point.settings for ask, _ in lab.seen] == [{"size": 2}]


def test_failed_points_run_again_only_when_asked(tmp_path: Path):
    lab = Lab(tmp_path, lambda i: {"return": 1, "error": "no"})
    lab.run(sweep_over())
    lab.run(sweep_over())
    assert lab.seen == []
    lab.access = lambda i: stored(i, 1.0)
    lab.run(sweep_over(), retry=True)
    assert lab.states() == ["done"] * 3


def test_a_spent_budget_leaves_points_for_the_next_command(tmp_path: Path):
    def slow(i: dict[str, Any]) -> dict[str, Any]:
        time.sleep(0.3)
        return {"return": 0}

    lab = Lab(tmp_path, slow)
    assert lab.run(sweep_over(budget="0.2s")).out_of_budget
    assert len(lab.seen) == 1
    assert not lab.run(sweep_over()).out_of_budget
    assert len(lab.seen) == 2


def test_hopeless_configurations_are_not_repeated(lab: Lab):
    lab.run(sweep_over(repeat=3, prune={"after": 1, "worse_than": 1.6}))
    pruned = [(ask.point.settings["size"], ask.point.repeat) for ask, s in lab.seen if s.state == "pruned"]
    assert pruned == [(1, 2), (1, 3)]  # 300 is three times 100, but only 1.5 times 200


def test_what_failed_is_not_repeated_where_pruning_is_on(tmp_path: Path):
    lab = Lab(tmp_path, unruly)
    lab.run(sweep_over(grid={"size": [1, 2]}, repeat=2, prune={}))
    assert lab.states() == ["done", "failed", "done", "pruned"]
    assert "too hot" in lab.seen[-1][1].cause


def test_an_invalid_result_counts_for_nothing(tmp_path: Path):
    from samples import performance

    from cm4bench_results import Validity

    bad = performance(validity=Validity(False, ("too few queries",)))
    lab = Lab(tmp_path, lambda i: stored(i, 900.0) if i["size"] == 1 else _stored_bad(i, bad))
    lab.run(sweep_over(grid={"size": [1, 2]}))
    good, refused = configurations(lab.seen)
    assert good.runs == 1
    assert refused.runs == 0
    assert "too few queries" in refused.causes[0]


def test_a_run_that_fails_keeps_the_records_it_has_left(tmp_path: Path):
    def refuse(i: dict[str, Any]) -> dict[str, Any]:
        from cm4bench_results import Request

        stored(i, 1.0, request=Request(tuple(sys.argv[1:])))
        stored(i, 2.0)  # of another command
        return {"return": 1, "error": "not valid"}

    lab = Lab(tmp_path, refuse)
    lab.run(sweep_over(grid={"size": [1]}))
    assert len(lab.seen[0][1].records) == 1


def test_an_experiment_of_another_subject_is_not_overwritten(lab: Lab):
    lab.run(sweep_over())
    with pytest.raises(ExperimentError, match="another experiment"):
        lab.run(sweep_over(run="measure,other"))


def test_two_commands_do_not_share_an_experiment(lab: Lab):
    lab.experiment.open(sweep_over())
    with alone(lab.experiment), pytest.raises(ExperimentError, match="another command"), alone(lab.experiment):
        pass


def test_a_device_is_held_across_processes(tmp_path: Path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "held")], stdin=subprocess.PIPE, env={**os.environ, **_path()}
    )
    _until((tmp_path / "held").exists)
    waited: list[bool] = []

    def release() -> None:
        waited.append(True)
        holder.communicate(b"\n")

    with reserved("cpu", release):
        assert waited
    with reserved("cuda:1", lambda: pytest.fail("another device need not be waited for")):
        pass


HOLDER = """
import pathlib, sys
from cm4bench_experiments.devices import reserved
with reserved("cpu"):
    pathlib.Path(sys.argv[1]).touch()
    sys.stdin.readline()
"""


def test_a_device_that_is_not_named_may_be_any():
    assert set(resources("auto")) == set(resources("cpu")) | set(resources("cuda"))
    assert device_of("run,_cuda", {}) == "cuda"
    assert device_of("run,_cuda", {"device": "cpu"}) == "cpu"
    assert device_of("run", {}) == "auto"


def _stored_bad(i: dict[str, Any], run: Any) -> dict[str, Any]:
    from dataclasses import replace

    from samples import record

    from cm4bench_results import ResultStore
    from cm4bench_results.store import new_run_id

    made = replace(record(), id=new_run_id("bad") + "/offline", runs=(run,), quality=None)
    path = ResultStore(Path(i["env"]["CM_MLPERF_RESULTS_DIR"])).save(made)
    return {"return": 0, "new_state": {"cm_mlperf_results": [str(path)]}}


def _path() -> dict[str, str]:
    from cm4bench_experiments.keeper import python_path

    return {"PYTHONPATH": python_path()}


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _until(condition: Any, limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
