"""A bisection for real: locks of a script of a test's own, replayed by cmind's own command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine

CUSTOMIZE = """
import os, sys
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [r"{root}/automation/experiment", r"{root}/tests/results"]

def postprocess(i):
    from cm4bench_results import Figure, ResultStore
    from samples import performance, record
    env = i["env"]
    threads, seed = int(env["CM_TINY_THREADS"]), os.getpid() % 7
    speed = 50.0 * threads * (1 + seed / 1000)
    run = performance(figures=(Figure("throughput", speed, "samples/s"),), configuration={{"threads": threads}})
    ResultStore(Path(env["CM_MLPERF_RESULTS_DIR"])).save(replace(record(), id=f"{{os.getpid()}}/offline", runs=(run,)))
    return {{"return": 0}}
"""
META = {
    "alias": "measure-tiny",
    "uid": "0d7c1ea55b2f4c10",
    "automation_alias": "script",
    "automation_uid": "5b4e0237da074764",
    "tags": ["measure", "tiny"],
    "inputs": {
        "threads": {"env": "CM_TINY_THREADS", "type": "int"},
        "batch_size": {"env": "CM_TINY_BATCH", "type": "int"},
        "results_dir": {"env": "CM_MLPERF_RESULTS_DIR"},
    },
}


@pytest.mark.slow
def test_a_planted_thread_count_is_named_by_replays(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    script = tmp_path / "repo" / "script" / "measure-tiny"
    script.mkdir(parents=True)
    (tmp_path / "repo" / "cmr.yaml").write_text('alias: tiny\nuid: "5f3d9b1c2a7e4460"\n')
    (script / "_cm.json").write_text(json.dumps(META))
    (script / "customize.py").write_text(CUSTOMIZE.format(root=ROOT))
    for path in (ROOT, tmp_path / "repo"):
        assert line("cm", "add", "repo", f"--path={path}").returncode == 0
    for name, flags in {
        "good": ("--threads=2", "--batch_size=8"),
        "bad": ("--threads=1", "--batch_size=4"),
    }.items():
        done = line("cmr", "measure tiny", *flags, f"--results_dir={tmp_path / name}", f"--lock={name}.json")
        assert done.returncode == 0, done.stdout + done.stderr
    done = line("cm", "bisect", "experiment", "good.json", "bad.json", "--repeats=2")
    assert "culprit: --threads: 2 → 1" in done.stdout, done.stdout + done.stderr
    assert (line.cwd / "cm4bench-bisect" / "mix-01" / "lock.json").is_file()
