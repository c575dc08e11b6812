"""Take the checkpoint from where the user has it: MLCommons' storage answers its own downloader only."""

from pathlib import Path

from cm4bench.errors import CMBenchError

HINT = (
    "add --model_path=FOLDER with the checkpoint (bash <(curl -s "
    "https://raw.githubusercontent.com/mlcommons/r2-downloader/refs/heads/main/mlc-r2-downloader.sh) "
    "https://inference.mlcommons-storage.org/metadata/stable-diffusion-xl-1-0-fp32-checkpoint.uri), "
    "or use _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    if env["CM_ML_MODEL_DATA_TIER"] == "full":
        env["CM_ML_MODEL_FILE_WITH_PATH"] = str(_given(str(env.get("CM_ML_MODEL_PATH") or "").strip()))
    return {"return": 0}


def _given(text):
    if not text:
        raise CMBenchError("the checkpoint of SDXL is not here, and was not given", hint=HINT)
    path = Path(text).expanduser().absolute()
    if not any((path / name / "model_index.json").is_file() for name in ("", "checkpoint_pipe")):
        raise CMBenchError(f"{path} holds no pipeline: there is no model_index.json", hint=HINT)
    return path
