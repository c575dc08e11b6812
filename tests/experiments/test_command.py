"""`cm run|show|replay experiment` as a user types them, over a script of another repository."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.workbench import CommandLine

from cm4bench_experiments.keeper import python_path

RUN = ("run", "experiment", "--tags=measure,tiny")


def calls(line: CommandLine) -> list[str]:
    return (line.cwd.parent / "calls").read_text().splitlines()


def test_a_sweep_ends_in_a_table_a_plot_and_a_command_that_runs(line: CommandLine):
    done = line(
        "cm", *RUN, "--explore.size=1,2", "--explore.kind=good,other", "--objectives=performance,size", "--dir=s"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 done" in done.stdout
    assert "plotly" in (line.cwd / "s" / "pareto.html").read_text()
    last = next(words for words in done.stdout.splitlines() if words.startswith("next: "))
    tool, *arguments = shlex.split(last.removeprefix("next: "))
    assert "--size=2" in arguments
    results = f"--env.CM_MLPERF_RESULTS_DIR={line.cwd / 'r'}"
    again = line(tool, *arguments, results, PYTHONPATH=python_path())  # for the script, which writes a record
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(calls(line)) == 5
    shown = line("cm", "show", "experiment", "--dir=s")
    assert last in shown.stdout


def test_kill_9_in_the_middle_then_the_same_command_runs_the_missing_points_only(line: CommandLine, tmp_path: Path):
    command = [*RUN, "--explore.size=1,2,3,4", "--sleep=0.5", "--dir=s"]
    sweep = subprocess.Popen(
        [Path(sys.executable).parent / "cm", *command], cwd=line.cwd, env=line.env, stdout=subprocess.DEVNULL
    )
    ends = lambda: list(line.cwd.glob("s/points/*/status.json"))  # noqa: E731
    limit = time.monotonic() + 60
    while len(ends()) < 2:
        assert time.monotonic() < limit
        time.sleep(0.01)
    sweep.send_signal(signal.SIGKILL)
    sweep.wait()
    kept = {path: path.read_text() for path in ends()}
    assert 2 <= len(kept) < 4
    done = line("cm", *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(kept)} of 4 points are known" in done.stdout
    assert {path: path.read_text() for path in kept} == kept
    assert len(ends()) == 4
    assert "4 done" not in done.stdout
    assert len(calls(line)) <= 5  # at most the one that was under way ran twice


def test_a_plan_runs_nothing(line: CommandLine):
    done = line("cm", *RUN, "--explore.size=1,2", "--where=size > 1", "--plan")
    assert "1 points" in done.stdout
    assert not list(line.cwd.iterdir())
    assert calls(line) == []


MISTAKES = [
    (["--explore.sise=1,2"], "did you mean size"),
    (["--explore.size=1,2", "--repat=2"], "did you mean repeat"),
    (["--explore.size=1,0"], "must be at least 1"),
    (["--explore.kind=good,bad"], "must be one of good"),
    (["--explore.size="], "0 points"),
    (["--explore.size=1,2", "--where=size > 2"], "0 points"),
    ([], "varies nothing"),
    (["--explore.size=" + ",".join(map(str, range(1, 1002)))], "--yes"),
    (["--explore.size=1", "--executor=slrum"], "did you mean slurm"),
    (["--explore.size=1", "--objectives=performance:most"], "neither min nor max"),
    (["--explore.size=1", "--cluster=big"], "lacks a key"),
]


def test_a_mistake_is_refused_before_anything_runs(line: CommandLine):
    for flags, words in MISTAKES:
        done = line("cm", *RUN, *flags)
        assert done.returncode != 0, flags
        assert words in done.stderr, flags
        assert done.stderr.strip().startswith("error:"), flags
        assert "Traceback" not in done.stderr
    assert calls(line) == []


def test_points_that_fail_are_in_the_table_and_the_rest_is_chosen_from(line: CommandLine):
    done = line("cm", *RUN, "--explore.kind=broken,crash,good", "--size=3", "--dir=s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed: this kind is broken" in done.stdout
    assert "code 7" in done.stdout
    assert "--size=3 --kind=good" in done.stdout


def test_nothing_valid_is_an_error_with_the_first_cause(line: CommandLine):
    done = line("cm", *RUN, "--explore.kind=broken", "--size=3")
    assert done.returncode != 0
    assert "this kind is broken" in done.stdout + done.stderr


def test_replay_compares_under_the_noise_of_the_repeats(line: CommandLine):
    made = line("cm", *RUN, "--explore.size=1,2", "--repeat=3", "--dir=s")
    assert made.returncode == 0, made.stdout + made.stderr
    done = line("cm", "replay", "experiment", "--dir=s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(word in done.stdout for word in ("eproduced: ", "cannot tell: "))
    assert len(calls(line)) == 9
    done = line("cm", "replay", "experiment", "--dir=s", "--repeat=1")
    assert "the new run is" in done.stdout, done.stdout + done.stderr
    assert len(calls(line)) == 10
    asked = json.loads(next(line.cwd.glob("s/replays/points/*/ask.json")).read_text())
    assert asked["point"]["settings"] == {"size": 2}


def test_a_folder_that_is_no_experiment_is_named(line: CommandLine):
    for action in ("show", "replay"):
        done = line("cm", action, "experiment", "--dir=nowhere")
        assert done.returncode != 0
        assert "no experiment" in done.stderr
