"""Describe the system: detect, read what its owner says, ask on a terminal, and name all that is missing at once."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = HERE.parent
for folder in ("app-mlperf-inference", "run-mlperf-inference-submission-checker"):
    for path in (HERE, SCRIPTS / folder):
        if str(path) not in sys.path:
            sys.path.append(str(path))

YES = ("yes", "on", "true", "1")


def preprocess(i):
    from system_description.given import DescriptionError

    from harness.errors import HarnessError

    env = i["env"]
    try:
        env["CM_HW_NAME"], path = describe(env, quiet=is_quiet(env))
    except (DescriptionError, HarnessError) as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    except OSError as error:
        cause = f"{error.filename or 'the description'} cannot be written: {error.strerror}"
        return {"return": 1, "error": cause, "hint": "give another --output_dir"}
    env["CM_MLPERF_SUT_DESCRIPTION_FILE"] = str(path)
    return {"return": 0}


def describe(env, *, quiet):
    """Name and file of the description; DescriptionError naming everything that stands in the way."""
    from system_description import work

    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".").absolute()
    file = str(env.get("CM_MLPERF_SUT_GIVEN_FILE") or "")
    order = work.Order(
        name=str(env.get("CM_HW_NAME") or ""),
        given={key: str(env.get(name) or "") for key, name in FLAGS.items()},
        file=here / Path(file).expanduser() if file else None,
        here=here,
        output=here / Path(str(env.get("CM_MLPERF_SUT_DESCRIPTION_DIR") or "cm4bench-systems")).expanduser(),
        round=str(env.get("CM_MLPERF_SUBMISSION_ROUND") or ""),
        on_cpu=on_cpu(env),
        power=is_on(env, "CM_MLPERF_POWER"),
        demonstration=is_on(env, "CM_MLPERF_SUBMISSION_DEMONSTRATION"),
        ask=None if quiet else input,
    )
    return work.describe(order)


def is_on(env, key):
    return str(env.get(key) or "").lower() in YES


FLAGS = {
    "submitter": "CM_MLPERF_SUBMITTER",
    "division": "CM_MLPERF_SUBMISSION_DIVISION",
    "system_type": "CM_MLPERF_SUBMISSION_CATEGORY",
    "status": "CM_MLPERF_SUT_STATUS",
}


def on_cpu(env):
    """Whether the runs compute on the processors: asked for, or found where the device was left to the host."""
    root = SCRIPTS.parent / "automation" / "script"
    if str(root) not in sys.path:
        sys.path.append(str(root))
    from cm4bench.facts import read_facts

    asked = str(env.get("CM_MLPERF_DEVICE") or "auto")
    return asked == "cpu" or (asked == "auto" and read_facts().values["accelerator"] == "cpu")


def is_quiet(env):
    """Nobody is there to be asked, or wants to be."""
    return is_on(env, "CM_QUIET") or not (sys.stdin and sys.stdin.isatty())
