"""What planning and running cost per step, inside one process, without Python's and cmind's start.

    python benchmarks/engine_steps.py [--repeats 5]

Scripts are empty: no Python, no native script. A diamond of 17 scripts (2 per level), a chain of 60 and a fan of 100,
and a plan of this repository's deepest request. CPU time, the median of the repeats.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "automation" / "script"))

DEEPEST = "run,mlperf,inference,_resnet50,_all-scenarios,_synthetic,_cpu"


def diamond(levels: int) -> Mapping[str, Sequence[str]]:
    """A root over `levels` levels of two scripts, each of which needs both below."""
    graph = {"root": ["a1", "b1"]}
    for level in range(1, levels + 1):
        below = [f"a{level + 1}", f"b{level + 1}"] if level < levels else []
        graph |= {f"a{level}": below, f"b{level}": below}
    return graph


def chain(length: int) -> Mapping[str, Sequence[str]]:
    """Each script needs the next."""
    names = ["root", *(f"s{number}" for number in range(1, length))]
    return {name: names[place + 1 : place + 2] for place, name in enumerate(names)}


def fan(width: int) -> Mapping[str, Sequence[str]]:
    """One script needs all others."""
    return {"root": [f"leaf{n}" for n in range(width)], **{f"leaf{n}": [] for n in range(width)}}


def write(repo: Path, graph: Mapping[str, Sequence[str]]) -> None:
    """The graph as a repository of empty scripts, each of which gives one environment key."""
    for number, (name, deps) in enumerate(graph.items()):
        folder = repo / "script" / name
        folder.mkdir(parents=True)
        manifest = {"alias": name, "uid": f"{number:016x}", "tags": ["bench", name], "env": {f"CM_{name.upper()}": "1"}}
        manifest |= {"new_env_keys": [f"CM_{name.upper()}"], "deps": [{"tags": f"bench,{dep}"} for dep in deps]}
        (folder / "_cm.json").write_text(json.dumps(manifest), encoding="utf-8")


def cpu(action: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    start = time.process_time()
    action()
    return (time.process_time() - start) * 1e3


def measure(repo: Path, home: Path, tags: str, repeats: int, *, run: bool) -> tuple[int, float, float]:
    """Steps, and milliseconds per step for planning and (plan included) running. Each repeat is a new engine."""
    from cm4bench import Engine, Repo, Request

    plans, runs, steps = [], [], 0
    for _ in range(repeats + 1):
        engine = Engine([Repo("bench", repo)], home)
        steps = len(engine.plan(Request(tags)).steps())
        engine = Engine([Repo("bench", repo)], home)
        assert len(engine.catalog) and engine.facts
        plans.append(cpu(lambda engine=engine: engine.plan(Request(tags))) / steps)  # type: ignore[misc]
        runs.append(cpu(lambda engine=engine: engine.run(Request(tags))) / steps if run else 0.0)  # type: ignore[misc]
    return steps, statistics.median(plans[1:]), statistics.median(runs[1:])


def main() -> None:
    """Print one table, Markdown."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeats", type=int, default=5)
    repeats = options.parse_args().repeats
    print("| | steps | plan, ms per step | run, ms per step |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, graph in (("diamond", diamond(8)), ("chain", chain(60)), ("fan", fan(100))):
            write(folder / label, graph)
            steps, plan, run = measure(folder / label, folder / f"{label}-home", "bench,root", repeats, run=True)
            print(f"| {label} | {steps} | {plan:.2f} | {run:.2f} |")
        steps, plan, _ = measure(ROOT, folder / "own-home", DEEPEST, repeats, run=False)
        print(f"| deepest plan of this repository | {steps} | {plan:.2f} ({plan * steps:.0f} ms in all) | |")


if __name__ == "__main__":
    main()
