"""Make paths absolute, and say early what is missing."""

from pathlib import Path


def preprocess(i):
    env = i["env"]
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    given = str(env.get("CM_MLPERF_POWER_OUTPUT_DIR") or "")
    if not given:
        hint = 'cmr "check mlperf power" --power_dir=FOLDER'
        return {"return": 1, "error": "no folder of a power measurement was given", "hint": hint}
    for key in ("CM_MLPERF_POWER_OUTPUT_DIR", "CM_MLPERF_POWER_FINDINGS"):
        if value := str(env.get(key) or ""):
            env[key] = str((here / Path(value).expanduser()).absolute())
    env["CM_MLPERF_POWER_PACKAGE"] = str(Path(__file__).parents[1] / "run-mlperf-power-server")
    return {"return": 0}
