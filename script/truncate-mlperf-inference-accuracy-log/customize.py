"""Truncate the accuracy logs of a submission in place; the whole logs go beside it."""

import sys
from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "generate-mlperf-inference-submission"
if str(PACKAGES) not in sys.path:
    sys.path.append(str(PACKAGES))

USAGE = 'cmr "truncate mlperf inference accuracy-log" --submission_dir=FOLDER'


def preprocess(i):
    from mlperf_submission.errors import SubmissionError
    from mlperf_submission.truncation import truncate_tree

    env = i["env"]
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    given = str(env.get("CM_MLPERF_INFERENCE_SUBMISSION_DIR") or "")
    if not given:
        return {"return": 1, "error": "no folder of a submission was given", "hint": USAGE}
    root = (here / Path(given).expanduser()).absolute()
    backup = str(env.get("CM_MLPERF_ACCURACY_LOG_BACKUP_DIR") or "")
    keep = (here / Path(backup).expanduser()).absolute() if backup else root.with_name(f"{root.name}-accuracy-logs")
    try:
        done = truncate_tree(root, keep, str(env.get("CM_MLPERF_SUBMITTER") or ""))
    except SubmissionError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    except OSError as error:
        cause = f"{error.filename or root}: {error.strerror}"
        return {"return": 1, "error": cause, "hint": "free space or rights are needed; then the same command again"}
    say(done, root, keep)
    return {"return": 0}


def say(done, root, keep):
    """One line per log, and where the whole ones are."""
    for one in done:
        print(f"{'truncated' if one.changed else 'was truncated'}: {one.folder.relative_to(root)}")
    if any(one.changed for one in done):
        print(f"whole logs: {keep} (keep them: MLCommons may ask for them)")
