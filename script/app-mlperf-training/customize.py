"""Training: hand the harness a configuration, read back what it made of it."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "automation" / "experiment", ROOT / "automation" / "script"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def preprocess(i):
    from cm4bench.facts import read_facts
    from mlperf_training_config import build
    from trainer.errors import TrainingError
    from trainer.result import SUMMARY

    env = i["env"]
    asked = str(env.get("CM_MLPERF_DEVICE") or "auto")
    device = read_facts().values["accelerator"] if asked == "auto" else asked
    folder = run_folder(env)
    if trouble := not_resumable(env, folder):
        return trouble
    try:
        config = build(env, folder, device)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "training_config.json").write_text(config.to_json(), encoding="utf-8")
    except (TrainingError, ValueError) as error:
        return {"return": 1, "error": str(error), "hint": getattr(error, "hint", "")}
    except OSError as error:
        return {"return": 1, "error": f"results cannot be written: {error}", "hint": "give another --results_dir"}
    env["CM_MLPERF_DEVICE"] = device
    env["CM_MLPERF_TRAINING_RUN_DIR"] = str(folder)
    env["CM_MLPERF_TRAINING_CONFIG"] = str(folder / "training_config.json")
    env["CM_MLPERF_TRAINING_SUMMARY"] = str(folder / SUMMARY)
    env["CM_MLPERF_HARNESS_PATH"] = str(HERE.parent / "app-mlperf-inference")
    say(env, config)
    return {"return": 0}


def postprocess(i):
    from trainer.errors import TrainingError
    from trainer.result import RESULT, TrainResult

    env, state = i["env"], i["state"]
    folder = Path(env["CM_MLPERF_TRAINING_RUN_DIR"])
    try:
        results = [TrainResult.read(path) for path in sorted(folder.glob(f"run_*/{RESULT}"))]
    except TrainingError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    state.setdefault("cm_mlperf_trainings", []).append(str(folder))
    failed = next((one.failure for one in results if one.failure), None)
    if failed is None and results:
        return {"return": 0}
    if failed is None:
        return {"return": 1, "error": "the harness left no result", "hint": f"ls {folder}"}
    hint = failed.hint.replace("--resume ", f"--resume={folder} ")
    return {"return": 1, "error": f"{failed.cause}\nlog: {failed.log}", "hint": hint}


def run_folder(env):
    """Where this training's files go: the folder to resume, the caller's, or a new one in the results folder."""
    from cm4bench_results.store import default_results_dir, new_run_id

    here = Path(env.get("CM_TMP_CURRENT_PATH") or Path.cwd())
    given = str(env.get("CM_MLPERF_TRAINING_RESUME") or env.get("CM_MLPERF_RUN_DIR") or "")
    folder = here / given if given else default_results_dir(env, here) / new_run_id(f"{env['CM_MODEL']}-training")
    return folder.absolute()


def not_resumable(env, folder):
    """An error for a folder that holds no training to go on with."""
    if not env.get("CM_MLPERF_TRAINING_RESUME") or (folder / "training_config.json").is_file():
        return None
    return {"return": 1, "error": f"{folder} holds no training to resume", "hint": "ls cm4bench-results"}


def say(env, config):
    """One line before a run that takes its time."""
    if env.get("CM_TMP_SILENT") == "yes":
        return
    where = config.device if config.world == 1 else f"{config.world} × {config.device} ({config.strategy})"
    runs = f", {config.runs} runs" if config.runs > 1 else ""
    data = config.dataset or "its own data"
    print(f"{config.benchmark} on {data}: {config.precision} on {where}{runs}, tier {config.tier}")
