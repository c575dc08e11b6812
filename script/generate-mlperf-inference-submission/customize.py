"""Pack result records into a submission; the work is done by the package mlperf_submission."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = HERE.parent
PACKAGES = (
    HERE,
    SCRIPTS / "get-mlperf-inference-sut-description",
    SCRIPTS / "run-mlperf-inference-submission-checker",
    SCRIPTS / "app-mlperf-inference",
    SCRIPTS.parent / "automation" / "experiment",
    SCRIPTS.parent / "automation" / "script",
)
for folder in PACKAGES:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

YES = ("yes", "on", "true", "1")


def preprocess(i):
    from mlperf_submission.errors import SubmissionError
    from mlperf_submission.packing import pack
    from mlperf_submission.screen import summary

    from harness.errors import HarnessError

    env = i["env"]
    try:
        packed = pack(order_of(env))
    except (SubmissionError, HarnessError) as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    print(summary(packed))
    env["CM_MLPERF_INFERENCE_SUBMISSION_DIR"] = str(packed.tree)
    env["CM_MLPERF_INFERENCE_SUBMISSION_TAR"] = str(packed.tarball)
    return {"return": 0}


def order_of(env):
    """The order that the environment describes; paths are relative to where the user is."""
    from mlperf_submission.order import Order

    def file(key):
        return place(env, str(env[key])) if env.get(key) else None

    records = str(env.get("CM_MLPERF_SUBMISSION_RECORDS") or env.get("CM_MLPERF_RESULTS_DIR") or "cm4bench-results")
    return Order(
        records=tuple(place(env, one.strip()) for one in records.split(",") if one.strip()),
        description=place(env, str(env["CM_MLPERF_SUT_DESCRIPTION_FILE"])),
        output=place(env, str(env.get("CM_MLPERF_INFERENCE_SUBMISSION_BASE_DIR") or "cm4bench-submissions")),
        submitter=str(env.get("CM_MLPERF_SUBMITTER") or ""),
        division=str(env.get("CM_MLPERF_SUBMISSION_DIVISION") or ""),
        round=str(env.get("CM_MLPERF_SUBMISSION_ROUND") or ""),
        lock=file("CM_MLPERF_SUBMISSION_LOCK"),
        calibration=file("CM_MLPERF_SUBMISSION_CALIBRATION"),
        measurements=file("CM_MLPERF_SUBMISSION_MEASUREMENTS"),
        analyzer_table=file("CM_MLPERF_POWER_ANALYZER_SETTINGS_FILE_PATH"),
        power_settings=file("CM_MLPERF_POWER_SETTINGS_FILE_PATH"),
        infer=is_on(env, "CM_MLPERF_DUPLICATE_SCENARIO_RESULTS"),
        demonstration=is_on(env, "CM_MLPERF_SUBMISSION_DEMONSTRATION"),
        replace=is_on(env, "CM_MLPERF_CLEAN_SUBMISSION_DIR"),
    )


def place(env, text):
    """A path as its user means it."""
    return (Path(env.get("CM_TMP_CURRENT_PATH") or ".") / Path(text).expanduser()).absolute()


def is_on(env, key):
    return str(env.get(key) or "").lower() in YES
