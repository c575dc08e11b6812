"""MLPerf-Lite after a training: its verdict, and the reports."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
if str(ROOT / "automation" / "experiment") not in sys.path:
    sys.path.append(str(ROOT / "automation" / "experiment"))

FORMATS = "html,markdown,csv"


def preprocess(i):
    from cm4bench_trainings import TrainingError
    from cm4bench_trainings.reports import form_of

    env = i["env"]
    asked = str(i["input"].get("model") or "")
    said = str(env.get("CM_MLPERF_TRAINING_OPTION_MODEL") or env.get("CM_MODEL") or "")
    if asked and said != asked:
        # what is asked for is the default too, so the file could not know that it was asked for
        cause = f"--model={asked}, and the file says {said}"
        return {"return": 1, "error": cause, "hint": "leave one of them out"}
    try:
        for form in formats(env):
            form_of(form)
    except TrainingError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    return {"return": 0}


def postprocess(i):
    from cm4bench_trainings import TrainingError, find
    from cm4bench_trainings.reports import write
    from cm4bench_trainings.words import energy_words, headline

    env = i["env"]
    run = Path(env["CM_MLPERF_TRAINING_RUN_DIR"])
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    try:
        found = find(run)
        title = str(env.get("CM_MLPERF_LITE_TITLE") or "Training results")
        target = here / str(env.get("CM_MLPERF_LITE_REPORT_DIR") or run)
        written = write(found, target, formats(env), title)
    except TrainingError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    env["CM_MLPERF_LITE_REPORT"] = str(written[0])
    for one in found.trainings:
        valid, why_not = one.verdict
        print(f"{'VALID' if valid else 'NOT VALID'}: {headline(one)}{f' ({why_not})' if why_not else ''}")
        print(f"  energy: {energy_words(one.monitor.energy)}")
    for path in written:
        print(f"  report: {path}")
    return verdict(found, env)


def verdict(found, env):
    """An error for a target that was missed, unless that is allowed."""
    missed = [one for one in found.trainings if not one.reached]
    if not missed or env.get("CM_MLPERF_LITE_MISSED") == "allow":
        return {"return": 0}
    cause = f"target not reached in {len(missed)} of {len(found.trainings)} trainings; this is no valid result"
    return {"return": 1, "error": cause, "hint": f"more --epochs; the reports are in {env['CM_MLPERF_LITE_REPORT']}"}


def formats(env):
    """The reports that were asked for."""
    return [one.strip() for one in str(env.get("CM_MLPERF_LITE_FORMATS") or FORMATS).split(",") if one.strip()]
