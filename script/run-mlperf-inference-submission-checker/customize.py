"""Hand a submission to the checker; the rules themselves are in mlperf_checker."""

import shlex
from pathlib import Path

HERE = Path(__file__).parent
USAGE = 'cmr "run mlperf inference submission checker" --submission_dir=FOLDER'
OPTIONS = {
    "--version": "CM_MLPERF_SUBMISSION_CHECKER_VERSION",
    "--submitter": "CM_MLPERF_SUBMITTER",
}
PATHS = {
    "--json": "CM_MLPERF_SUBMISSION_CHECKER_JSON",
    "--upstream": "CM_MLPERF_SUBMISSION_CHECKER_UPSTREAM",
}
TRUE = ("yes", "true", "on", "1")


def preprocess(i):
    env = i["env"]
    start = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    folder = (start / Path(str(env.get("CM_MLPERF_INFERENCE_SUBMISSION_DIR") or ".")).expanduser()).absolute()
    if not folder.is_dir():
        return {"return": 1, "error": f"there is no folder {folder}", "hint": USAGE}
    table = start / Path(str(env.get("CM_MLPERF_SUBMISSION_CHECKER_CSV") or "summary.csv")).expanduser()
    env["CM_MLPERF_SUBMISSION_CHECKER_CSV"] = str(table.absolute())
    env["CM_MLPERF_SUBMISSION_CHECKER_ARGUMENTS"] = shlex.join(arguments(env, folder, start))
    packages = (HERE, HERE.parent / "app-mlperf-inference", HERE.parent / "run-mlperf-power-server")
    env["CM_MLPERF_SUBMISSION_CHECKER_PYTHONPATH"] = ":".join(map(str, packages))
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    if str(env.get("CM_MLPERF_SUBMISSION_CHECKER_STATUS")) == "0":
        return {"return": 0}
    return {
        "return": 1,
        "error": "the submission is not fit to be handed in; the lines above say why",
        "hint": f"mend what they name, then {USAGE}",
    }


def arguments(env, folder, start):
    """The command line of `python -m mlperf_checker`."""
    words = [str(folder), f"--csv={env['CM_MLPERF_SUBMISSION_CHECKER_CSV']}"]
    words += [f"{flag}={env[key]}" for flag, key in OPTIONS.items() if str(env.get(key) or "")]
    for flag, key in PATHS.items():
        if str(env.get(key) or ""):
            words.append(f"{flag}={(start / Path(str(env[key])).expanduser()).absolute()}")
    if str(env.get("CM_MLPERF_SUBMISSION_CHECKER_ALL", "")).lower() in TRUE:
        words.append("--all")
    return words
