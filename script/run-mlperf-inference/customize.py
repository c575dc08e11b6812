"""The front door: prepare a folder for the runs, and turn their outcomes into records, a table and a report."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "automation" / "experiment", HERE.parent / "app-mlperf-inference"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

SCENARIOS = ("Offline", "Server", "SingleStream", "MultiStream", "Interactive")


def preprocess(i):
    from cm4bench_results.store import default_results_dir, new_run_id

    env = i["env"]
    if unknown := unknown_scenarios(env):
        return unknown
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    results = default_results_dir(env, here.absolute())
    try:
        results.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = f"results cannot be written to {results}: {error.strerror}"
        return {"return": 1, "error": cause, "hint": "give another folder: --results_dir=FOLDER"}
    env["CM_MLPERF_RUN_DIR"] = str(results / new_run_id(env["CM_MODEL"]))
    return {"return": 0}


def unknown_scenarios(env):
    """An error for a scenario that was asked for by name and that the benchmark has not got."""
    known = [name for name in str(env.get("CM_MLPERF_SCENARIOS") or "").split(",") if name]
    asked = [str(env["CM_MLPERF_ASKED_SCENARIO"])] if env.get("CM_MLPERF_ASKED_SCENARIO") else []
    if not asked and env.get("CM_MLPERF_SCENARIOS_AS_KNOWN") != "yes":
        asked = [name for name in SCENARIOS if env.get(f"CM_MLPERF_RUN_{name.upper()}") == "yes"]
    missing = [name for name in asked if known and name not in known]
    if not missing:
        return None
    from harness import rounds

    where = rounds.which_have(str(env.get("CM_MLPERF_BENCHMARK_NAME") or ""), missing[0])
    had = f"; it was there in {', '.join(where)}" if where else ""
    cause = f"{env['CM_MODEL']} has no scenario {missing[0]}{had}"
    return {"return": 1, "error": cause, "hint": f"it has {', '.join(known)}: --scenario={known[0]}"}


def postprocess(i):
    from mlperf_conclusion import conclude, read_outcomes

    from cm4bench_results.record import RecordError

    env, state = i["env"], i["state"]
    run = Path(env["CM_MLPERF_RUN_DIR"])
    outcomes, versions = read_outcomes(state.get("cm_mlperf_outcomes") or [], run)
    if not outcomes:
        cause = "nothing was run: the flags and variations leave no run to do"
        return {"return": 1, "error": cause, "hint": "the same command with --plan shows each run and its condition"}
    try:
        conclusion = conclude(run, outcomes, request_of(i), env, versions)
    except (OSError, RecordError) as error:
        return {"return": 1, "error": f"the results cannot be stored: {error}", "hint": f"the logs are in {run}"}
    env["CM_MLPERF_REPORT"] = str(conclusion.report)
    state["cm_mlperf_results"] = [str(path) for path in conclusion.paths]
    conclusion.show()
    if env.get("CM_MLPERF_SUBMISSION") == "yes":
        lock = run / "lock.json"
        if trouble := write_lock(lock):
            print(f"note: the submission has no lock: {trouble}")
        else:
            env["CM_MLPERF_SUBMISSION_LOCK"] = str(lock)
    if conclusion.refused:
        cause = f"not valid: {', '.join(conclusion.refused)} ({len(conclusion.refused)} of {len(conclusion.records)})"
        return {"return": 1, "error": cause, "hint": f"the table says why, and {conclusion.report}"}
    return {"return": 0}


def write_lock(target):
    """Lock what was typed, now that everything is in the store; why it could not be done, or nothing.

    In a process of its own: the lock is that of the whole command, of which this script knows only its part.
    """
    command = [sys.executable, *sys.argv, "--plan", f"--lock={target}"]
    if Path(sys.argv[0]).name not in ("cmr", "cm"):
        return "it was not started by cmr"
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if target.is_file() else "cmr wrote none"


def request_of(i):
    """What the user asked for, as the record keeps it."""
    from cm4bench_results.record import Request

    options = {name: value for name, value in i["input"].items() if isinstance(value, str | int | float | bool)}
    return Request(tuple(sys.argv[1:]), tuple(i["script_tags"]), tuple(i["variation_tags"]), options)
