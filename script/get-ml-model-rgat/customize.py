"""Write rgat.json: the graph and the checkpoint that make up the network."""

import json
from pathlib import Path

from cm4bench.errors import CMBenchError

HINT = (
    "add --model_path=FILE with the official RGAT.pt (bash <(curl -s "
    "https://raw.githubusercontent.com/mlcommons/r2-downloader/refs/heads/main/mlc-r2-downloader.sh) "
    "https://inference.mlcommons-storage.org/metadata/rgat-model.uri), or use _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_ML_MODEL_PATH") or "").strip()
    parts = {"graph": env["CM_DATASET_PREPROCESSED_PATH"], "seed": int(env["CM_ML_MODEL_SEED"])}
    if env["CM_ML_MODEL_DATA_TIER"] == "full":
        parts["checkpoint"] = str(_checkpoint(given))
    path = Path.cwd() / "rgat.json"
    path.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    env["CM_ML_MODEL_FILE_WITH_PATH"] = str(path)
    return {"return": 0}


def _checkpoint(given):
    if not given:
        raise CMBenchError("the checkpoint of R-GAT is not here, and was not given", hint=HINT)
    path = Path(given).expanduser().absolute()
    if not path.is_file():
        raise CMBenchError(f"no such file: {path}", hint=HINT)
    return path
