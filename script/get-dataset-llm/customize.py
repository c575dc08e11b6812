"""A data set that cannot be fetched without an account must be given; say so before anything else is done."""


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_DATASET_LLM_LOCAL_PATH") or "").strip()
    url = str(env.get("CM_DATASET_LLM_URL") or "").strip()
    if not given and (not url or url.endswith(".uri")):
        return {
            "return": 1,
            "error": f"the official data set {env['CM_DATASET']} is not here, and was not given",
            "hint": "add --dataset_path=FILE (MLCommons' downloader fetches it from the .uri that the manifest lists), "
            "or use _embedded or _synthetic instead of _full",
        }
    return {"return": 0}
