"""Pack trainings into a submission; the work is done by the package training_submission."""

import json
import shlex
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS, AUTOMATION = HERE.parent, HERE.parents[1] / "automation"
PACKAGES = (
    HERE,
    SCRIPTS / "app-mlperf-training",
    SCRIPTS / "run-mlperf-training-submission-checker",
    SCRIPTS / "generate-mlperf-inference-submission",
    SCRIPTS / "run-mlperf-inference-submission-checker",
    SCRIPTS / "get-mlperf-inference-sut-description",
    AUTOMATION / "experiment",
    AUTOMATION / "script",
)
WORDS = {
    "--submitter": "CM_MLPERF_SUBMITTER",
    "--division": "CM_MLPERF_SUBMISSION_DIVISION",
    "--version": "CM_MLPERF_SUBMISSION_CHECKER_VERSION",
    "--status": "CM_MLPERF_SUT_STATUS",
    "--implementation": "CM_MLPERF_TRAINING_IMPLEMENTATION_NAME",
    "--scaling": "CM_MLPERF_TRAINING_SCALING",
}
FLAGS = {"--demonstration": "CM_MLPERF_SUBMISSION_DEMONSTRATION", "--replace": "CM_MLPERF_CLEAN_SUBMISSION_DIR"}
LOCATIONS = "training-submission.json"
YES = ("yes", "on", "true", "1")


def preprocess(i):
    env = i["env"]
    env["CM_MLPERF_TRAINING_SUBMISSION_ARGUMENTS"] = shlex.join([*arguments(env), f"--locations={LOCATIONS}"])
    env["CM_MLPERF_TRAINING_SUBMISSION_PYTHONPATH"] = ":".join(map(str, PACKAGES))
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    if str(env.get("CM_MLPERF_TRAINING_SUBMISSION_STATUS")) != "0":
        refused = json.loads(Path(LOCATIONS).read_text(encoding="utf-8"))
        return {"return": 1, "error": refused["cause"], "hint": refused["hint"]}
    packed = json.loads(Path(LOCATIONS).read_text(encoding="utf-8"))
    env["CM_MLPERF_TRAINING_SUBMISSION_DIR"] = packed["tree"]
    env["CM_MLPERF_TRAINING_SUBMISSION_TAR"] = packed["tarball"]
    return {"return": 0}


def arguments(env):
    """The command line of `python -m training_submission`; paths are relative to where the user is."""
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")

    def place(text):
        return str((here / Path(text).expanduser()).absolute())

    records = str(env.get("CM_MLPERF_TRAINING_RECORDS") or env.get("CM_MLPERF_RESULTS_DIR") or "cm4bench-results")
    words = [place(one.strip()) for one in records.split(",") if one.strip()]
    words.append(f"--description={place(str(env['CM_MLPERF_SUT_DESCRIPTION_FILE']))}")
    output = str(env.get("CM_MLPERF_TRAINING_SUBMISSION_BASE_DIR") or "cm4bench-submissions")
    words.append(f"--output={place(output)}")
    words += [f"{flag}={env[key]}" for flag, key in WORDS.items() if env.get(key)]
    return words + [flag for flag, key in FLAGS.items() if str(env.get(key) or "").lower() in YES]
