"""A training as its user starts it, with a CM home of its own; for the slow tests of the small defaults."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.workbench import ROOT, CommandLine

from trainer.result import TrainResult


def trained(folder: Path, words: str) -> TrainResult:
    """``cmr "run mlperf training WORDS"`` on the CPU with one thread; what its only run gave."""
    line = CommandLine(folder)
    added = line("cm", "add", "repo", f"--path={ROOT}")
    assert added.returncode == 0, added.stderr
    command = ["cmr", f"run mlperf training {words} _cpu", "--threads=1", "--results_dir=results"]
    done = subprocess.run(
        command, env={**line.env, "OMP_NUM_THREADS": "1"}, cwd=line.cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (line.cwd / "results").glob("*/run_0/result.json")
    return TrainResult.read(path)
