"""Make paths absolute, and say early what is missing."""

from pathlib import Path

HINT = 'cmr "run mlperf power client" --command="COMMAND" --loadgen_logs_dir=FOLDER --power_server=HOST'


def preprocess(i):
    env = i["env"]
    if not str(env.get("CM_MLPERF_RUN_CMD") or "").strip():
        return {"return": 1, "error": "no command to measure was given", "hint": HINT}
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    for key in ("CM_MLPERF_LOADGEN_LOGS_DIR", "CM_MLPERF_POWER_LOG_DIR", "CM_MLPERF_POWER_DEV_PATH"):
        if given := str(env.get(key) or ""):
            env[key] = str((here / Path(given).expanduser()).absolute())
    env["CM_MLPERF_POWER_PACKAGE"] = str(Path(__file__).parents[1] / "run-mlperf-power-server")
    env["CM_MLPERF_POWER_OUTPUT_DIR"] = env["CM_MLPERF_POWER_LOG_DIR"]
    return {"return": 0}
