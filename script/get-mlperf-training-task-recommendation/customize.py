"""Refuse a folder of data that would not be read."""


def preprocess(i):
    env = i["env"]
    folders = {"movielens_path": "CM_DATASET_MOVIELENS_GIVEN_PATH", "criteo_path": "CM_DATASET_CRITEO_TRAINING_PATH"}
    used = {"ncf": "movielens_path", "dlrm": "criteo_path"}.get(env["CM_MODEL"])
    full = env.get("CM_MLPERF_DATA_TIER") == "full"
    for flag, key in folders.items():
        if env.get(key) and not (full and flag == used):
            cause = f"--{flag} is not read by _{env['CM_MODEL']} _{env.get('CM_MLPERF_DATA_TIER')}"
            return {"return": 1, "error": cause, "hint": f"_{env['CM_MODEL']} _full --{used}=FOLDER, or leave it out"}
    if full and not env.get(folders[used]):
        cause = f"_{env['CM_MODEL']} _full needs the official data set, which cannot be fetched unasked"
        return {"return": 1, "error": cause, "hint": f"give its folder: --{used}=FOLDER"}
    return {"return": 0}
