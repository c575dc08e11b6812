"""Find the accuracy log of a run; the score itself is the harness's."""

import json
from pathlib import Path

# failures of runs that came to their end and have a log to score
MEASURED = ("invalid", "accuracy", "loadgen-errors", "settings")
LOG = "mlperf_log_accuracy.json"


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_MLPERF_ACCURACY_RESULTS_DIR") or "")
    if not given:
        return _error("no folder of an accuracy run was given")
    folder = find_log(Path(env.get("CM_TMP_CURRENT_PATH") or ".") / Path(given).expanduser())
    if folder is None:
        return _error(f"there is no {LOG} in {given}")
    if after_failed_run(env, folder):
        return {"return": 0, "skip": True}
    config = Path(env.get("CM_MLPERF_RUN_CONFIG") or folder / "config.json")
    if not config.is_file():
        return _error(f"there is no {config}, which says what was run")
    env["CM_MLPERF_RUN_CONFIG"] = str(config)
    env["CM_MLPERF_ACCURACY_LOG_DIR"] = str(folder)
    env["CM_MLPERF_ACCURACY_FILE"] = str(folder / "accuracy.txt")
    env["CM_MLPERF_HARNESS_PATH"] = str(Path(__file__).parents[1] / "app-mlperf-inference")
    return {"return": 0}


def after_failed_run(env, folder):
    """Whether a run that the harness has diagnosed ends here: its cause is worth more than that of a cut log."""
    outcome = Path(str(env.get("CM_MLPERF_OUTCOME") or ""))
    if outcome.parent != folder:
        return False
    try:
        failure = json.loads(outcome.read_bytes()).get("failure")
    except (OSError, ValueError, AttributeError):
        return False
    return bool(failure) and failure.get("kind") not in MEASURED


def find_log(folder):
    """The folder itself, or its `run_1` as MLPerf's layout has it; None where neither holds a log."""
    return next((place for place in (folder, folder / "run_1") if (place / LOG).is_file()), None)


def _error(cause):
    return {"return": 1, "error": cause, "hint": 'cmr "process mlperf accuracy" --result_dir=FOLDER --run_config=FILE'}
