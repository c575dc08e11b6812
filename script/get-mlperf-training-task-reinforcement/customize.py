"""A target checkpoint belongs to _full, and _full to it."""


def preprocess(i):
    env = i["env"]
    given, full = bool(env.get("CM_MLPERF_TRAINING_GO_PATH")), env.get("CM_MLPERF_DATA_TIER") == "full"
    if full and not given:
        cause = "_minigo _full plays against a target checkpoint, which cannot be fetched unasked"
        return {"return": 1, "error": cause, "hint": "give the folder of target.pt: --minigo_path=FOLDER"}
    if given and not full:
        hint = "_minigo _full --minigo_path=FOLDER, or leave it out"
        return {"return": 1, "error": "--minigo_path is only read by _minigo _full", "hint": hint}
    return {"return": 0}
