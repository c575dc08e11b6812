"""Take the weights from where the user has them: MLCommons' storage answers its own downloader only."""

from pathlib import Path

from cm4bench.errors import CMBenchError

HINT = (
    "add --model_path=FILE with the published yolo11l.pt (bash <(curl -s "
    "https://raw.githubusercontent.com/mlcommons/r2-downloader/refs/heads/main/mlc-r2-downloader.sh) "
    "https://yolo.mlcommons-storage.org/metadata/YOLO-model.uri), or use _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    if env["CM_ML_MODEL_DATA_TIER"] == "full":
        env["CM_ML_MODEL_FILE_WITH_PATH"] = str(_given(str(env.get("CM_ML_MODEL_PATH") or "").strip()))
    return {"return": 0}


def _given(text):
    if not text:
        raise CMBenchError("the weights of YOLO11l are not here, and were not given", hint=HINT)
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise CMBenchError(f"no such file: {path}", hint=HINT)
    return path
