"""Find the data that only the user can bring, before anything big is fetched for them."""

from pathlib import Path


def preprocess(i):
    env = i["env"]
    if env.get("CM_MLPERF_DATA_TIER") != "full":
        return {"return": 0}
    name = env["CM_MLPERF_TRAINING_DATASET"]
    given = str(env.get(f"CM_DATASET_{name.upper()}_PATH") or "")
    flag = f"--{name}_path=FOLDER"
    if not given:
        return {"return": 1, "error": f"{name} is not here: it can only be given", "hint": flag}
    folder = Path(env.get("CM_TMP_CURRENT_PATH") or ".") / Path(given).expanduser()
    if not folder.is_dir():
        return {"return": 1, "error": f"{folder} is not there, or no folder", "hint": flag}
    env["CM_MLPERF_TRAINING_DATA"] = str(folder.resolve())
    return {"return": 0}
