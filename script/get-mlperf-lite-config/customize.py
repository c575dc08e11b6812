"""Read a configuration of MLPerf-Lite; nothing is trained where it is wrong."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE.parent / "run-mlperf-lite", HERE.parent / "app-mlperf-training"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def preprocess(i):
    from mlperf_lite import reading
    from mlperf_lite.config import digest
    from mlperf_lite.environment import environment
    from mlperf_lite.errors import LiteError

    env = i["env"]
    given = str(env.get("CM_MLPERF_LITE_CONFIG") or "")
    if not given:
        hint = "--config=FILE; cm add experiment --template=resnet_cifar10 writes one"
        return {"return": 1, "error": "no configuration was given", "hint": hint}
    path = Path(env.get("CM_TMP_CURRENT_PATH") or ".") / Path(given).expanduser()
    try:
        found = reading.read(path)
        env.update(environment(found, env))
        env["CM_MLPERF_LITE_CONFIG_HASH"] = digest(found.raw)
    except LiteError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    env["CM_MLPERF_LITE_CONFIG"] = str(found.path)
    return {"return": 0}
