"""A script that measures nothing but leaves a real record, and an experiment without cmind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from samples import performance, record
from tests.workbench import RepoBuilder

from cm4bench_experiments import Experiment, Sweep, make_sweep
from cm4bench_experiments.child import Access
from cm4bench_experiments.conduct import Conductor, Place, Tally
from cm4bench_experiments.executors import Executor
from cm4bench_experiments.executors.local import Forks
from cm4bench_experiments.folder import Ask, Status
from cm4bench_experiments.source import Known, Listed
from cm4bench_results import Figure, ResultStore, dumps
from cm4bench_results.store import new_run_id

# The throughput is a function of what is varied; every repeat adds a little.
MEASURE = """
import os, time
from dataclasses import replace
from pathlib import Path
from cm4bench_results import Figure, Request, ResultStore, loads
from cm4bench_results.store import new_run_id
import sys

def postprocess(i):
    env = i["env"]
    size, kind = int(env["TINY_SIZE"]), env.get("TINY_KIND") or "good"
    with open(os.environ["TINY_CALLS"], "a") as calls:
        calls.write(f"{size} {kind}\\n")
    if kind == "broken":
        return {"return": 1, "error": "this kind is broken", "hint": "take another"}
    if kind == "crash":
        os._exit(7)
    time.sleep(float(env.get("TINY_SLEEP") or 0))
    sample = loads((Path(__file__).parent / "sample.json").read_bytes())
    store = ResultStore(Path(env["CM_MLPERF_RESULTS_DIR"]))
    runs = len(list(store.root.glob("*")))
    run = replace(sample.runs[0], figures=(Figure("samples per second", 100.0 * size + runs / 10, "samples/s"),))
    request = Request(tuple(sys.argv[1:]))
    record = replace(sample, id=new_run_id("tiny") + "/offline", request=request, runs=(run, *sample.runs[1:]))
    i["state"]["cm_mlperf_results"] = [str(store.save(record))]
    return {"return": 0}
"""


def tiny_script(repo: RepoBuilder, calls: Path) -> None:
    """A strict script with the tags `measure,tiny` and the options size, kind and sleep."""
    folder = repo.script(
        "measure-tiny",
        tags="measure,tiny",
        customize=MEASURE,
        inputs={
            "size": {"env": "TINY_SIZE", "type": "int", "min": 1},
            "kind": {"env": "TINY_KIND", "type": "choice", "choices": ["good", "broken", "crash", "other"]},
            "sleep": {"env": "TINY_SLEEP", "type": "float"},
        },
        new_state_keys=["cm_mlperf_results"],
    )
    (folder / "sample.json").write_text(dumps(record()))
    calls.touch()


class Lab:
    """An experiment without cmind: `access` stands for it."""

    def __init__(self, folder: Path, access: Access) -> None:
        self.experiment = Experiment(folder / "sweep")
        self.place = Place(folder / "results", folder)
        self.place.results_dir.mkdir()
        self.access = access
        self.seen: list[tuple[Ask, Status]] = []

    def run(self, sweep: Sweep, executor: Executor | None = None, *, retry: bool = False) -> Tally:
        self.experiment.open(sweep)
        known = Known()
        for ask, status in self.experiment.known():
            known.add(ask, status)
        source = Listed(sweep, known, retry)
        self.seen = []
        chosen = executor or Forks(self.access)
        return Conductor(self.experiment, sweep, self.place, source, known, chosen, self._tell).run()

    def _tell(self, ask: Ask, status: Status) -> None:
        self.seen.append((ask, status))

    def states(self) -> Sequence[str]:
        return [status.state for _, status in self.seen]


def stored(i: dict[str, Any], value: float, **changes: object) -> dict[str, Any]:
    """What a run answers that has stored a record with `value` as its throughput."""
    run = performance(figures=(Figure("samples per second", value, "samples/s"),))
    made = replace(record(), id=new_run_id("lab") + "/offline", runs=(run,), quality=None, **changes)
    path = ResultStore(Path(i["env"]["CM_MLPERF_RESULTS_DIR"])).save(made)
    return {"return": 0, "new_state": {"cm_mlperf_results": [str(path)]}}


def sweep_over(**changes: Any) -> Sweep:
    """A sweep of three sizes, or as `changes` say."""
    return make_sweep({"run": "measure,tiny,_cpu", "grid": {"size": [1, 2, 3]}, **changes})
