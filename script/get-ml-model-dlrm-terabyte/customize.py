"""Find the snapshot's list of tensors in the folder that was given."""

from pathlib import Path

METADATA = ".snapshot_metadata"
URI = "https://inference.mlcommons-storage.org/metadata/dlrm-v2-model-weights.uri"
TOOL = "https://raw.githubusercontent.com/mlcommons/r2-downloader/refs/heads/main/mlc-r2-downloader.sh"


def preprocess(i):
    env = i["env"]
    if env["CM_ML_MODEL_DATA_TIER"] != "full":
        return {"return": 0}
    given = str(env.get("CM_ML_MODEL_PATH") or "").strip()
    how = f"--model_path=FOLDER; to fetch the 97 GB: bash <(curl -s {TOOL}) {URI}"
    if not given:
        return {"return": 1, "error": "the official DLRM-v2 weights are not here, and were not given", "hint": how}
    path = Path(given).expanduser().absolute()
    found = next((p for p in (path, path / METADATA, path / "model_weights" / METADATA) if p.is_file()), None)
    if found is None or found.name != METADATA:
        return {"return": 1, "error": f"{path} is no snapshot: it has no {METADATA}", "hint": how}
    env["CM_ML_MODEL_FILE_WITH_PATH"] = str(found)
    return {"return": 0}
