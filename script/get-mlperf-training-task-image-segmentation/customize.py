"""Own pictures can only be given: say so before anything is installed."""

from pathlib import Path


def preprocess(i):
    env = i["env"]
    if env.get("CM_MLPERF_TRAINING_DATASET") != "own":
        return {"return": 0}
    given = str(env.get("CM_DATASET_PICTURES_PATH") or "").strip()
    hint = "add --pictures_path=FOLDER with train and test, each with images/NAME.png and masks/NAME.png"
    if not given:
        return {"return": 1, "error": "no pictures were given", "hint": hint}
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        return {"return": 1, "error": f"{folder} is not there", "hint": hint}
    env["CM_MLPERF_TRAINING_DATA"] = str(folder)
    return {"return": 0}
