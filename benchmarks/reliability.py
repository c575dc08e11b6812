"""Faults by the hundred, counted: kills at random moments, processes on one store, made-up manifests.

    python benchmarks/reliability.py [kill] [crowd] [fuzz] [--kills 200] [--processes 8] [--manifests 10000] [--seed 1]

Without a word all three are done. Each prints what it did and what it found; the exit code is 1 when anything was
left half-written, made twice, or ended in anything but an answer or a diagnosis. The fuzzer needs what the tests need.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "automation" / "script"
STEPS = 20
WORKER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cm4bench import Engine, Repo, Request
room = Path(sys.argv[2])
os.chdir(room / "work")
report = Engine([Repo("repo", room / "repo")], room / "CM").run(Request("top", jobs=int(sys.argv[3])))
print(json.dumps({"made": report.made, "env": dict(report.outcome.new_env)}))
"""
STEP = """#!/bin/bash
echo {number} >> "{room}/started"
for part in 1 2 3 4; do echo $part; done > whole.txt
echo CM_S{number}=$PWD/whole.txt >> tmp-run-env.out
"""


class Room(NamedTuple):
    """A repository of steps, a home and a working folder. Every step depends on two earlier ones; `top` on all."""

    path: Path

    def furnish(self, steps: int = STEPS) -> Room:
        """Write the repository."""
        (self.path / "work").mkdir(parents=True)
        for number in range(steps):
            deps = sorted({max(number - 1, 0), number // 2} - {number})
            self._script(f"s{number}", deps, f"CM_S{number}", cache=True)
            text = STEP.format(number=number, room=self.path)
            (self.path / "repo" / "script" / f"s{number}" / "run.sh").write_text(text)
        self._script("top", list(range(steps)), "CM_S*", cache=False)
        return self

    def _script(self, alias: str, deps: Sequence[int], key: str, *, cache: bool) -> None:
        folder = self.path / "repo" / "script" / alias
        folder.mkdir(parents=True)
        outputs = {key: {"type": "file"}} if cache else {}
        tags = [{"tags": f"s{number}"} for number in deps]
        raw = {"alias": alias, "tags": [alias], "cache": cache, "deps": tags, "outputs": outputs, "new_env_keys": [key]}
        (folder / "_cm.json").write_text(json.dumps(raw))

    def start(self, jobs: int = 1) -> subprocess.Popen[str]:
        """One process that runs the whole plan, leader of a group of its own."""
        command = [sys.executable, "-c", WORKER, str(PACKAGE), str(self.path), str(jobs)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def started(self) -> Counter[int]:
        """How often the native script of each step was started."""
        log = self.path / "started"
        return Counter(int(line) for line in log.read_text().split()) if log.exists() else Counter()

    def faults(self) -> Iterator[str]:
        """What is wrong in the store: damaged entries, entries without content, files half-written."""
        sys.path.insert(0, str(PACKAGE))
        from cm4bench.outputs import verify_content
        from cm4bench.store import Store

        for entry in Store(self.path / "CM").entries():
            damage = verify_content(entry.outputs)
            if damage:
                yield damage
            (made,) = (value for key, value in entry.outcome.new_env.items() if key.startswith("CM_S"))
            if Path(made).read_text().split() != ["1", "2", "3", "4"]:
                yield f"half-written: {made}"

    def leftovers(self) -> list[Path]:
        """Folders of the cache that are no entries, and unfinished files of the engine's own."""
        home = self.path / "CM"
        debris = [p for p in (home / "repos" / "local" / "cache").glob("*") if not (p / "_cm.json").exists()]
        return debris + list(home.rglob("*.new"))


class Finding(NamedTuple):
    """What an experiment did, in words, and what went wrong."""

    summary: str
    faults: Sequence[str] = ()


def kill(folder: Path, kills: int, dice: random.Random) -> Finding:
    """Kill -9 at random moments of a 20-step plan; after each, verify the store; run again until it is whole."""
    faults: list[str] = []
    tally: Counter[str] = Counter()
    span = _duration(Room(folder / "measure").furnish())
    for number in range(kills):
        room = Room(folder / f"kill{number}").furnish()
        process = room.start(jobs=dice.choice([1, 1, 4]))
        time.sleep(dice.uniform(0, span))
        tally["hit" if _kill_all(process) else "came too late"] += 1
        faults += room.faults()
        tally["entries kept"] += len(_entries(room))
        faults += _finish(room)
    done = (
        f"{kills} kills over {STEPS} steps: {tally['hit']} hit a running plan, {tally['came too late']} came too late"
    )
    return Finding(f"{done}; {tally['entries kept']} finished entries were kept and reused", faults)


def _duration(room: Room) -> float:
    started = time.monotonic()
    room.start().communicate()
    return time.monotonic() - started


def _kill_all(process: subprocess.Popen[str]) -> bool:
    """Kill a process and all it has started, as a crash of the machine would. False if it had ended before."""
    alive = process.poll() is None
    for pid in list(_stopped_tree(process.pid)) if alive else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()
    return alive


def _stopped_tree(pid: int) -> Iterator[int]:
    """A process and its descendants, each stopped before its children are looked up, so that none escapes."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZX":
            time.sleep(0.001)
        yield pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _stopped_tree(int(child))


def _finish(room: Room) -> Iterator[str]:
    """The rerun: ends well, makes only what is missing, leaves a clean and complete store."""
    kept, before = _entries(room), room.started()
    process = room.start()
    out, err = process.communicate()
    if process.returncode:
        yield f"the rerun failed: {err[-300:]}"
        return
    again = room.started() - before
    if len(json.loads(out)["made"]) != STEPS - len(kept) or sum(again.values()) != STEPS - len(kept):
        yield f"the rerun made {sum(again.values())} of {STEPS - len(kept)} missing steps"
    yield from room.faults()
    if len(_entries(room)) != STEPS or room.leftovers():
        yield f"{len(_entries(room))} entries and {len(room.leftovers())} leftovers after the rerun"


def _entries(room: Room) -> list[Path]:
    return list((room.path / "CM" / "repos" / "local" / "cache").glob("*/_cm.json"))


def crowd(folder: Path, processes: int) -> Finding:
    """Several processes ask for the same plan at once, in an empty home: each step is made by exactly one."""
    room = Room(folder / "crowd").furnish()
    several = [room.start(jobs=1 + number % 2) for number in range(processes)]
    answers = [process.communicate() for process in several]
    faults = [err[-300:] for process, (_, err) in zip(several, answers, strict=True) if process.returncode]
    faults += [f"step {n} was made {times} times" for n, times in room.started().items() if times != 1]
    environments = {json.dumps(json.loads(out)["env"], sort_keys=True) for out, _ in answers if out}
    if len(environments) != 1:
        faults.append(f"{len(environments)} different answers")
    faults += [*room.faults(), *map(str, room.leftovers())]
    return Finding(f"{processes} processes, {STEPS} steps: {sum(room.started().values())} made, one answer", faults)


def fuzz(folder: Path, manifests: int, seed: int) -> Finding:
    """Made-up repositories, requests and environments, planned and run: an answer or a diagnosis, nothing else."""
    sys.path[:0] = [str(ROOT), str(PACKAGE)]
    from tests.fuzzing import explore

    return Finding(f"{manifests} repositories of up to three made-up manifests", explore(folder, manifests, seed))


def main() -> int:
    """Run the experiments; 1 if one of them found a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", choices=["kill", "crowd", "fuzz", []], help="all of them by default")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--manifests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    experiments: dict[str, Callable[[Path], Finding]] = {
        "kill": lambda folder: kill(folder, options.kills, random.Random(options.seed)),
        "crowd": lambda folder: crowd(folder, options.processes),
        "fuzz": lambda folder: fuzz(folder, options.manifests, options.seed),
    }
    return max(_report(name, experiments[name]) for name in options.which or experiments)


def _report(name: str, experiment: Callable[[Path], Finding]) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        finding = experiment(Path(folder))
    print(f"{name}: {finding.summary}; {len(finding.faults)} faults; {time.monotonic() - started:.0f} s", flush=True)
    for fault in finding.faults[:20]:
        print(f"  {fault}")
    return 1 if finding.faults else 0


if __name__ == "__main__":
    sys.exit(main())
