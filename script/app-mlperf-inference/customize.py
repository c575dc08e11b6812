"""One loadgen run: hand the harness a configuration, read back what it made of it."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "automation" / "experiment", ROOT / "automation" / "script"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

# A run that turns out faster than its search would end before min_duration (Offline), or run out of queries (streams).
HEADROOM = 1.2


def preprocess(i):
    from cm4bench.facts import read_facts
    from harness.errors import HarnessError
    from mlperf_run_config import build, chosen_device

    env = i["env"]
    if reason := left_out(env):
        print(f"{env['CM_MODEL']} {env['CM_MLPERF_LOADGEN_SCENARIO']}, {env['CM_MLPERF_LOADGEN_MODE']}: {reason}")
        return {"return": 0, "skip": True}
    asked = env.get("CM_MLPERF_DEVICE")
    folder = run_folder(env)
    searching = env["CM_MLPERF_LOADGEN_MODE"] in ("find-performance", "autotune")
    try:
        env["CM_MLPERF_DEVICE"] = chosen_device(env, read_facts().values["accelerator"])
        config = build(env, folder / "run_1", None if searching else folder / "user.conf")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run_config.json").write_text(config.to_json(), encoding="utf-8")
    except (HarnessError, ValueError) as error:
        return {"return": 1, "error": str(error), "hint": getattr(error, "hint", "")}
    except OSError as error:
        return {"return": 1, "error": f"results cannot be written: {error}", "hint": "give another --results_dir"}
    env["CM_MLPERF_OUTPUT_DIR"] = str(folder)
    env["CM_MLPERF_RUN_CONFIG"] = str(folder / "run_config.json")
    env["CM_MLPERF_OUTCOME"] = str(folder / "run_1" / "outcome.json")
    env["CM_MLPERF_TUNING_MEMORY"] = str(tuning_memory())
    env["CM_MLPERF_POWER_PATH"] = str(HERE.parent / "run-mlperf-power-server")
    say(env, config, chosen_by_itself=asked in (None, "", "auto"))
    return {"return": 0}


def postprocess(i):
    import mlperf_first_look
    import mlperf_power_figure
    from cm4bench_results.harvest import MEASURED_FAILURES
    from harness.outcome import Outcome

    env, state = i["env"], i["state"]
    if env["CM_MLPERF_LOADGEN_MODE"] == "autotune":
        return export_layout(env)
    path = Path(env["CM_MLPERF_OUTCOME"])
    try:
        outcome = Outcome.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        return {"return": 1, "error": f"the harness left no readable outcome: {error}", "hint": f"ls {path.parent}"}
    failure = outcome.failure
    kept = env.get("CM_MLPERF_KEEP_INVALID") == "yes" and failure is not None and failure.kind in MEASURED_FAILURES
    if failure is not None and not kept:
        log = f"\nlog: {failure.log}" if failure.log else ""
        return {"return": 1, "error": f"{failure.cause}{log}", "hint": failure.hint}
    if env.get("CM_MLPERF_POWER") == "yes" and outcome.config.mode == "performance":
        outcome, trouble = mlperf_power_figure.added(env, outcome)
        if trouble:
            return trouble
    mlperf_first_look.show(env, outcome)
    state.setdefault("cm_mlperf_outcomes", []).append({"path": str(path), "versions": versions(env)})
    if outcome.found:
        export_target(env, outcome.config.scenario, outcome.found.value)
    return {"return": 0}


def left_out(env):
    """Why a run is not made that belongs to a set of runs which nobody asked for one by one; empty if it is made."""
    if env.get("CM_MLPERF_SCENARIOS_AS_KNOWN") != "yes" or env.get("CM_MLPERF_ASKED_SCENARIO"):
        return ""
    known = str(env.get("CM_MLPERF_SCENARIOS") or "")
    if known and env["CM_MLPERF_LOADGEN_SCENARIO"] not in known.split(","):
        return f"left out, the benchmark has {known.replace(',', ', ')}"
    if env["CM_MLPERF_LOADGEN_MODE"] == "accuracy" and env.get("CM_MLPERF_DATA_TIER") == "synthetic":
        return "left out, synthetic data have no accuracy"
    return ""


def run_folder(env):
    """Where this run's files go: `<run>/<scenario>/<mode>`, in a run folder of its own unless the caller gave one."""
    from cm4bench_results.store import default_results_dir, new_run_id

    here = Path(env.get("CM_TMP_CURRENT_PATH") or Path.cwd())
    given = str(env.get("CM_MLPERF_RUN_DIR") or "")
    run = here / given if given else default_results_dir(env, here) / new_run_id(f"{env['CM_MODEL']}-app")
    return run.absolute() / str(env["CM_MLPERF_LOADGEN_SCENARIO"]).lower() / str(env["CM_MLPERF_LOADGEN_MODE"])


def tuning_memory():
    """Where layouts are kept that were found before, one file per host and model."""
    return Path(os.environ.get("CM_REPOS") or Path.home() / "CM") / "cm4bench" / "tuning"


def export_layout(env):
    """Give later runs what tuning found."""
    from harness import autotune

    path = Path(env["CM_MLPERF_OUTCOME"]).with_name(autotune.FILE_NAME)
    try:
        layout = autotune.read(path).layout
    except (OSError, ValueError) as error:
        return {"return": 1, "error": f"tuning left no readable {path}: {error}", "hint": f"ls {path.parent}"}
    env["CM_MLPERF_OUTCOME"] = str(path)
    env["CM_MLPERF_LOADGEN_MAX_BATCHSIZE"] = str(layout.batch_size)
    env["CM_NUM_THREADS"] = str(layout.threads)
    env["CM_MLPERF_WORKERS"] = str(layout.workers)
    return {"return": 0}


def export_target(env, scenario, value):
    """Give later runs the target that a search found; constant keys, so that a plan can see them coming."""
    if scenario == "Offline":
        env["CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS"] = f"{value * HEADROOM:.6g}"
    elif scenario == "Server":
        env["CM_MLPERF_LOADGEN_SERVER_TARGET_QPS"] = f"{value:.6g}"
    elif scenario == "Interactive":
        env["CM_MLPERF_LOADGEN_INTERACTIVE_TARGET_QPS"] = f"{value:.6g}"
    elif scenario == "SingleStream":
        env["CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY"] = f"{value / HEADROOM:.6g}"
    else:
        env["CM_MLPERF_LOADGEN_MULTISTREAM_TARGET_LATENCY"] = f"{value / HEADROOM:.6g}"


def versions(env):
    """Versions of what the run was made with, as the steps before found them."""
    keys = {
        "python": "CM_PYTHON_VERSION",
        "numpy": "CM_NUMPY_VERSION",
        "torch": "CM_TORCH_VERSION",
        "transformers": "CM_TRANSFORMERS_VERSION",
        "loadgen": "CM_MLPERF_INFERENCE_LOADGEN_VERSION",
    }
    return {name: str(env[key]) for name, key in keys.items() if env.get(key)}


def say(env, config, *, chosen_by_itself):
    """One line before a run that takes its time."""
    if env.get("CM_TMP_SILENT") == "yes":
        return
    device = f"{config.device} (found by itself)" if chosen_by_itself else config.device
    print(f"{config.model.name} {config.scenario}, {config.mode}: {config.precision} on {device}, tier {config.tier}")
