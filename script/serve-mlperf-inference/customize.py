"""Write the server's configuration: that of a run, without data set and scenario."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
for folder in (HERE.parent / "app-mlperf-inference", ROOT / "automation" / "script"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def preprocess(i):
    from cm4bench.facts import read_facts
    from harness.errors import HarnessError
    from mlperf_run_config import build, chosen_device

    env = i["env"]
    env["CM_SUT_SERVER_HARNESS"] = str(HERE.parent / "app-mlperf-inference")
    if env["CM_SUT_SERVER_ACTION"] in ("health", "stop"):
        return {"return": 0}
    env["CM_MLPERF_DEVICE"] = chosen_device(env, read_facts().values["accelerator"])
    path = Path(env.get("CM_TMP_CURRENT_PATH") or ".").absolute() / f"sut-server-{env['CM_SUT_SERVER_PORT']}.json"
    served = {"CM_MLPERF_LOADGEN_SCENARIO": "Offline", "CM_MLPERF_LOADGEN_MODE": "performance"}
    try:
        path.write_text(build({**env, **served}, path.parent, None).to_json(), encoding="utf-8")
    except (HarnessError, ValueError) as error:
        return {"return": 1, "error": str(error), "hint": getattr(error, "hint", "")}
    except OSError as error:
        return {
            "return": 1,
            "error": f"{path} cannot be written: {error.strerror}",
            "hint": "start from another folder",
        }
    env["CM_SUT_SERVER_CONFIG"] = str(path)
    return {"return": 0}
