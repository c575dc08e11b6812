"""Hand a submission or a log to the checker; the rules themselves are in training_checker."""

import shlex
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = (HERE, HERE.parent / "app-mlperf-training", HERE.parent / "run-mlperf-inference-submission-checker")
WORDS = {
    "--benchmark": "CM_MLPERF_TRAINING_LOG_BENCHMARK",
    "--version": "CM_MLPERF_SUBMISSION_CHECKER_VERSION",
    "--usage": "CM_MLPERF_TRAINING_USAGE",
    "--bypass": "CM_MLPERF_TRAINING_CHECKER_BYPASS",
}
PATHS = {
    "--log_file": "CM_MLPERF_TRAINING_LOG",
    "--csv": "CM_MLPERF_SUBMISSION_CHECKER_CSV",
    "--markdown": "CM_MLPERF_TRAINING_CHECKER_MARKDOWN",
    "--json": "CM_MLPERF_SUBMISSION_CHECKER_JSON",
    "--upstream_log": "CM_MLPERF_TRAINING_CHECKER_UPSTREAM_LOG",
}
TRUE = ("yes", "true", "on", "1")


def preprocess(i):
    env = i["env"]
    env["CM_MLPERF_TRAINING_CHECKER_ARGUMENTS"] = shlex.join(arguments(env))
    env["CM_MLPERF_TRAINING_CHECKER_PYTHONPATH"] = ":".join(map(str, PACKAGES))
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    if str(env.get("CM_MLPERF_SUBMISSION_CHECKER_STATUS")) == "0":
        return {"return": 0}
    what = "log" if env.get("CM_MLPERF_TRAINING_LOG") else "submission"
    return {
        "return": 1,
        "error": f"the {what} does not follow the rules; the lines above say why",
        "hint": "mend what they name, then the same command again",
    }


def arguments(env):
    """The command line of `python -m training_checker`; paths are relative to where the user is."""
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")

    def place(text):
        return str((here / Path(text).expanduser()).absolute())

    words = [f"{flag}={env[key]}" for flag, key in WORDS.items() if env.get(key)]
    words += [f"{flag}={place(str(env[key]))}" for flag, key in PATHS.items() if env.get(key)]
    if str(env.get("CM_MLPERF_SUBMISSION_CHECKER_ALL", "")).lower() in TRUE:
        words.append("--all")
    return (
        words if env.get("CM_MLPERF_TRAINING_LOG") else [place(str(env.get("CM_MLPERF_SUBMISSION_DIR") or ".")), *words]
    )
