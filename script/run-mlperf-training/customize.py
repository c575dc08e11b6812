"""The front door of training: what the trainings gave, in a table and a report, and whether the target was reached."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (ROOT / "automation" / "experiment", HERE.parent / "app-mlperf-training"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def postprocess(i):
    from cm4bench_trainings import actions, find, reports
    from trainer.result import RESULT, TrainResult

    env = i["env"]
    folder = Path(env["CM_MLPERF_TRAINING_RUN_DIR"])
    results = [TrainResult.read(path) for path in sorted(folder.glob(f"run_*/{RESULT}"))]
    print()
    actions.show(folder, {"out": "con"})
    print()
    env["CM_MLPERF_REPORT"] = str(reports.write(find(folder), folder, ["html"])[0])
    missed = [result for result in results if not result.reached]
    if not missed:
        return {"return": 0}
    return {"return": 1, "error": why_not(missed[0], len(missed), len(results)), "hint": what_next(missed[0])}


def why_not(result, missed, runs):
    """A training that did not get there is no result."""
    ended = {"epochs": f"its {result.epochs} epochs were over", "time": "its time was used up"}[result.ended_by]
    quality = result.quality
    found = f"{quality.metric} is {quality.value:.4g}, the target {quality.target:.4g}"
    return f"target not reached in {missed} of {runs} trainings: {found} when {ended}; this is no valid result"


def what_next(result):
    """The flag that lifts the limit which was met."""
    if result.ended_by == "time":
        return f"more time: --max_minutes={2 * (result.config.max_minutes or 1):g}"
    return f"more epochs: --epochs={2 * result.epochs}, or another recipe; the curves are in {result.config.output_dir}"
