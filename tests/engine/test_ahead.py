"""Entries made side by side: the same result as one after the other, and the same diagnoses."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError, StepFailed

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="made in line where there is no fork")


def meets(folder: Path, name: str, others: list[str]) -> str:
    """Shell text that ends well only if all the others are at work at the same time."""
    there = " && ".join(f"[ -e {folder}/{other}-runs ]" for other in others)
    return f"touch {folder}/{name}-runs; for i in $(seq 1000); do {there} && exit 0; sleep 0.01; done; exit 1"


def test_independent_entries_are_made_side_by_side(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    names = ["a", "b", "c"]
    for name in names:
        repo.script(name, cache=True, run=meets(tmp_path, name, [n for n in names if n != name]))
    repo.script("top", deps=[{"tags": name} for name in names])
    report = bench.run("top", jobs=3)
    assert sorted(report.made) == names
    assert report.ran[-1] == "top"
    assert len(bench.entries()) == 3
    assert bench.run("top", jobs=3).made == ()


def test_what_depends_on_another_comes_after_it(bench: Bench, repo: RepoBuilder):
    repo.script(
        "low", cache=True, run="echo CM_LOW=$PWD >> tmp-run-env.out; touch here", outputs={"CM_LOW": {"type": "dir"}}
    )
    for side in ("left", "right"):
        repo.script(side, cache=True, deps=[{"tags": "low"}], run="[ -e $CM_LOW/here ]")
    repo.script("top", deps=[{"tags": "left"}, {"tags": "right"}])
    made = bench.run("top", jobs=4).made
    assert made[0] == "low"
    assert sorted(made) == ["left", "low", "right"]
    assert "waiting" not in [event.kind for event in bench.events]
    assert not [event for event in bench.events if "another process" in event.detail]


def test_exclusive_steps_do_not_meet(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    work = f"mkdir {tmp_path}/taken && sleep 0.05 && rmdir {tmp_path}/taken"
    for name in ("a", "b", "c"):
        repo.script(name, cache=True, exclusive="device", run=work)
    repo.script("top", deps=[{"tags": name} for name in ("a", "b", "c")])
    assert len(bench.run("top", jobs=3).made) == 3


def test_a_step_that_must_wait_takes_nobodys_place(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    repo.script("holds", cache=True, exclusive="device", run=meets(tmp_path, "holds", ["free"]))
    repo.script("wants", cache=True, exclusive="device", run=meets(tmp_path, "wants", ["free"]))
    repo.script("free", cache=True, run=meets(tmp_path, "free", ["holds"]))
    repo.script("top", deps=[{"tags": name} for name in ("holds", "wants", "free")])
    assert len(bench.run("top", jobs=2).made) == 3


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        ({"run": "echo the reason; exit 3"}, "bad/run.sh ended with exit code 3"),
        ({"run": "kill -9 $PPID; sleep 5"}, "was ended by signal 9"),
        ({"customize": "def preprocess(i):\n    1 / 0\n"}, "raised ZeroDivisionError"),
        ({"outputs": {"CM_X": {"type": "file"}}}, "did not set CM_X"),
    ],
)
def test_a_failure_stops_the_others_and_is_told_as_ever(
    bench: Bench, repo: RepoBuilder, tmp_path: Path, bad: dict, cause: str
):
    repo.script("bad", cache=True, **bad)
    repo.script("slow", cache=True, run=f"echo $$ > {tmp_path}/pid; exec sleep 600")
    repo.script("top", deps=[{"tags": "slow"}, {"tags": "bad"}])
    with pytest.raises(StepFailed, match=cause) as caught:
        bench.run("top", jobs=2)
    assert "Traceback" not in caught.value.render()
    assert "could not be made" not in caught.value.cause
    assert bench.entries() == []
    assert not running(tmp_path / "pid")


def running(pid_file: Path) -> bool:
    """Is the process still there a moment later?"""
    if not pid_file.exists():
        return False
    pid = pid_file.read_text().strip()
    for _ in range(200):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.01)
    return True


def test_a_failure_in_the_crew_leaves_the_rest_usable(bench: Bench, repo: RepoBuilder):
    folder = repo.script("bad", cache=True, run="exit 1")
    repo.script("good", cache=True, run="true")
    repo.script("top", deps=[{"tags": "good"}, {"tags": "bad"}])
    with pytest.raises(CMBenchError):
        bench.run("top", jobs=2)
    (folder / "run.sh").write_text("true\n")
    bench.run("top", jobs=2)
    assert len(bench.entries()) == 2
    assert bench.debris() == []


GRAPHS = st.integers(2, 5).flatmap(
    lambda size: st.tuples(*(st.frozensets(st.integers(0, max(0, k - 1)), max_size=2) for k in range(size)))
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(GRAPHS)
def test_any_graph_gives_what_one_after_the_other_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: tuple):
    monkeypatch.chdir(tmp_path)
    with tempfile.TemporaryDirectory() as folder:
        repo = RepoBuilder(Path(folder) / "repo")
        for k, below in enumerate(graph):
            below = {b for b in below if b < k}
            value = "".join(f"$CM_N{b}" for b in sorted(below))
            repo.script(
                f"n{k}",
                cache=True,
                deps=[{"tags": f"n{b}"} for b in sorted(below)],
                run=f"echo {k} >> {folder}/count; echo CM_N{k}=1{value} >> tmp-run-env.out",
                outputs={f"CM_N{k}": {"type": "str"}},
            )
        last = f"n{len(graph) - 1}"
        together, alone = (Bench(Path(folder) / home, repo.value) for home in ("together", "alone"))
        given_together = together.run(last, jobs=3).outcome.new_env
        count = Path(folder, "count").read_text().split()
        assert len(count) == len(set(count))
        assert given_together == alone.run(last).outcome.new_env
        assert [e.name for e in together.entries()] == [e.name for e in alone.entries()]
