"""ImageNet is the one set that can only be given: say so before anything is installed."""

from pathlib import Path


def preprocess(i):
    env = i["env"]
    if env.get("CM_MLPERF_TRAINING_DATASET") != "imagenet":
        return {"return": 0}
    given = str(env.get("CM_DATASET_IMAGENET_TRAINING_PATH") or "").strip()
    hint = "add --imagenet_path=FOLDER with train/WNID/*.JPEG and val/WNID/*.JPEG, or take _cifar10 or _digits"
    if not given:
        return {"return": 1, "error": "ImageNet is not here, and was not given", "hint": hint}
    folder = Path(given).expanduser().absolute()
    missing = [name for name in ("train", "val") if not (folder / name).is_dir()]
    if missing:
        return {"return": 1, "error": f"{folder / missing[0]} is not there", "hint": hint}
    env["CM_MLPERF_TRAINING_DATA"] = str(folder)
    return {"return": 0}
