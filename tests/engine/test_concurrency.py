"""Several processes over one store: one makes an entry, the others wait for it and reuse it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workbench import ROOT, Bench, RepoBuilder

PROCESS = """
    import json, os, sys
    from pathlib import Path
    sys.path.insert(0, {package!r})
    from cm4bench import CMBenchError, Engine, Repo, Request
    os.chdir({folder!r})
    name = sys.argv[1]
    kinds = []

    def note(event):
        kinds.append(event.kind)
        if event.kind == "waiting":
            Path(name + "-waits").touch()

    engine = Engine([Repo("repo", Path({repo!r}))], Path({home!r}), listener=note)
    report = engine.run(Request(sys.argv[2]))
    print(json.dumps({{"kinds": kinds, "made": report.made, "env": dict(report.outcome.new_env)}}))
"""


class Processes:
    def __init__(self, folder: Path, repo: RepoBuilder, home: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        package = str(ROOT / "automation" / "script")
        text = PROCESS.format(package=package, folder=str(folder), repo=str(repo.path), home=str(home))
        (folder / "process.py").write_text(textwrap.dedent(text))

    def start(self, name: str, tags: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(self.folder / "process.py"), name, tags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def until(self, name: str) -> None:
        """Wait until a file exists."""
        for _ in range(2000):
            if (self.folder / name).exists():
                return
            time.sleep(0.01)
        pytest.fail(f"{name} never appeared")


def result(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.fixture
def processes(tmp_path: Path, repo: RepoBuilder) -> Iterator[Processes]:
    crowd = Processes(tmp_path, repo, tmp_path / "CM")
    yield crowd
    for process in crowd.started:
        process.kill()
        process.communicate()


def slow_maker(repo: RepoBuilder, folder: Path, *, after: str = "true") -> None:
    """Says that it has started, then works until `go` exists."""
    work = f"""
        echo made >> {folder}/count
        touch {folder}/started
        for i in $(seq 3000); do [ -e {folder}/go ] && break; sleep 0.01; done
        {after}
        echo content > made.txt
        echo CM_MADE=$PWD/made.txt >> tmp-run-env.out
    """
    repo.script("maker", cache=True, run=textwrap.dedent(work), outputs={"CM_MADE": {"type": "file"}})


def test_one_makes_and_the_other_waits_and_reuses(processes: Processes, repo: RepoBuilder, tmp_path: Path):
    slow_maker(repo, tmp_path)
    first = processes.start("first", "maker")
    processes.until("started")
    second = processes.start("second", "maker")
    processes.until("second-waits")
    (tmp_path / "go").touch()
    one, two = result(first), result(second)
    assert (tmp_path / "count").read_text() == "made\n"
    assert (one["made"], two["made"]) == (["maker"], [])
    assert one["env"] == two["env"]
    assert two["kinds"] == ["planned", "waiting", "cached"]


def test_the_waiting_one_makes_it_when_the_other_dies(processes: Processes, repo: RepoBuilder, tmp_path: Path):
    slow_maker(repo, tmp_path, after=f"[ $(wc -l < {tmp_path}/count) = 1 ] && kill -9 $PPID && sleep 5")
    first = processes.start("first", "maker")
    processes.until("started")
    second = processes.start("second", "maker")
    processes.until("second-waits")
    (tmp_path / "go").touch()
    assert first.wait(60) == -9
    first.communicate()
    two = result(second)
    assert two["made"] == ["maker"]
    assert Path(two["env"]["CM_MADE"]).read_text() == "content\n"


def test_different_entries_are_made_side_by_side(processes: Processes, repo: RepoBuilder, tmp_path: Path):
    """Each works until the other has started: with one lock for all, neither would end."""
    for name, other in (("left", "right"), ("right", "left")):
        meet = f"for i in $(seq 2000); do [ -e {tmp_path}/{other}-runs ] && exit 0; sleep 0.01; done; exit 1"
        work = f"touch {tmp_path}/{name}-runs; {meet}"
        repo.script(name, cache=True, run=work)
    left, right = processes.start("a", "left"), processes.start("b", "right")
    assert result(left)["made"] == ["left"]
    assert result(right)["made"] == ["right"]


def test_a_reader_is_not_held_up_by_a_writer(processes: Processes, bench: Bench, repo: RepoBuilder, tmp_path: Path):
    slow_maker(repo, tmp_path)
    repo.script("ready", cache=True, new_env_keys=["CM_READY"], env={"CM_READY": "1"})
    bench.run("ready")
    first = processes.start("first", "maker")
    processes.until("started")
    assert result(processes.start("reader", "ready"))["made"] == []
    assert not bench.plan("maker").root.cached
    (tmp_path / "go").touch()
    assert result(first)["made"] == ["maker"]


def test_a_sweep_leaves_what_another_process_is_making(
    processes: Processes, bench: Bench, repo: RepoBuilder, tmp_path: Path
):
    slow_maker(repo, tmp_path)
    repo.script("other", cache=True)
    first = processes.start("first", "maker")
    processes.until("started")
    [unfinished] = bench.debris()
    assert bench.run("other").made == ("other",)
    assert unfinished.is_dir()
    (tmp_path / "go").touch()
    assert result(first)["made"] == ["maker"]
    assert len(bench.entries()) == 2


def test_many_first_runs_at_once(processes: Processes, repo: RepoBuilder, tmp_path: Path):
    """No index, no home, no lock folder yet, and four processes want the same chain."""
    for k in range(3):
        repo.script(f"s{k}", cache=True, deps=[{"tags": f"s{k - 1}"}] if k else [], run=f"echo {k} >> {tmp_path}/count")
    crowd = [processes.start(f"p{n}", "s2") for n in range(4)]
    made = [name for process in crowd for name in result(process)["made"]]
    assert sorted(made) == ["s0", "s1", "s2"]
    assert sorted((tmp_path / "count").read_text().split()) == ["0", "1", "2"]
