"""Find PTDaemon where the user says it is; say how to come by it where it is not."""

import os
from pathlib import Path

# Where the repository mlcommons/power has had it, newest first.
IN_REPOSITORY = ("PTD/binaries/ptd-linux-x86", "inference_v1.0/ptd-linux-x86")
SIMULATOR = Path(__file__).parents[1] / "run-mlperf-power-analyzer-simulator" / "ptd-simulator"
HOW = (
    "PTDaemon is SPEC's and licensed: join the MLCommons Power working group, sign its EULA, clone "
    "github.com/mlcommons/power, then add --power_source=CLONE or --ptd_path=FILE; for a trial: _simulator"
)


def preprocess(i):
    env = i["env"]
    if env["CM_SPEC_PTD_ORIGIN"] == "simulator":
        found = SIMULATOR
    else:
        found, cause = locate(env, Path(env.get("CM_TMP_CURRENT_PATH") or "."))
        if cause:
            return {"return": 1, "error": cause, "hint": HOW}
    if not os.access(found, os.X_OK):
        return {"return": 1, "error": f"{found} may not be executed", "hint": f"chmod +x {found}"}
    env["CM_MLPERF_PTD_PATH"] = env["CM_SPEC_PTD_PATH"] = str(found)
    return {"return": 0}


def locate(env, here):
    """The program that the user named, or that lies in the user's clone; and the cause where there is none."""
    given = str(env.get("CM_MLPERF_PTD_PATH") or env.get("CM_INPUT") or "")
    if given:
        path = (here / Path(given).expanduser()).absolute()
        return path, "" if path.is_file() else f"there is no PTDaemon at {path}"
    clone = str(env.get("CM_MLPERF_POWER_SOURCE") or "")
    if not clone:
        return None, "PTDaemon was not given"
    folder = (here / Path(clone).expanduser()).absolute()
    found = next((folder / name for name in IN_REPOSITORY if (folder / name).is_file()), None)
    return found, "" if found else f"{folder} holds neither {' nor '.join(IN_REPOSITORY)}"
