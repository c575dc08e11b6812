"""A LibriSpeech tree belongs to _full, and _full to it."""


def preprocess(i):
    env = i["env"]
    given, full = bool(env.get("CM_DATASET_LIBRISPEECH_GIVEN_PATH")), env.get("CM_MLPERF_DATA_TIER") == "full"
    if full and not given:
        cause = f"_{env['CM_MODEL']} _full needs LibriSpeech with its training parts: 60 GB, not fetched unasked"
        return {"return": 1, "error": cause, "hint": "give their folder: --librispeech_path=FOLDER"}
    if given and not full:
        hint = f"_{env['CM_MODEL']} _full --librispeech_path=FOLDER, or leave it out"
        return {"return": 1, "error": f"--librispeech_path is only read by _{env['CM_MODEL']} _full", "hint": hint}
    return {"return": 0}
