"""Find the checkpoint, and see that it is whole and of the right kind before a run of hours begins."""

import json
from pathlib import Path


def preprocess(i):
    env = i["env"]
    if env["CM_ML_MODEL_DATA_TIER"] == "synthetic" or env.get("CM_ML_MODEL_PATH"):
        return {"return": 0}
    if env.get("CM_ML_MODEL_HF_DOWNLOAD") == "yes" and env.get("CM_ML_MODEL_HF_STUB"):
        i["run_script_input"]["script_name"] = "download"
        return {"return": 0}
    stub = env.get("CM_ML_MODEL_HF_STUB")
    return {
        "return": 1,
        "error": f"the official weights of {env['CM_ML_MODEL']} are not here, and were not given",
        "hint": "add --model_path=FOLDER"
        + (f", or --hf_download to fetch {stub}" if stub else "")
        + ", or use _embedded or _synthetic instead of _full",
    }


def postprocess(i):
    env = i["env"]
    if env["CM_ML_MODEL_DATA_TIER"] == "synthetic":
        return {"return": 0}
    given = env.get("CM_ML_MODEL_PATH")
    folder = Path(given).expanduser().absolute() if given else Path.cwd() / "checkpoint"
    problem = problem_with(folder, env["CM_ML_MODEL_TYPE"])
    if problem:
        return {"return": 1, "error": f"{folder} {problem}", "hint": "give another checkpoint: --model_path=FOLDER"}
    env["CM_ML_MODEL_FILE_WITH_PATH"] = str(folder)
    return {"return": 0}


def problem_with(folder, kind):
    """What is wrong with a checkpoint folder, in words that go on after its name; empty when nothing is."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
        index = folder / "model.safetensors.index.json"
        if index.is_file():
            shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        else:
            shards = ["model.safetensors"] if (folder / "model.safetensors").is_file() else ["pytorch_model.bin"]
    except OSError:
        return "is no checkpoint: it has no readable config.json"
    except (ValueError, KeyError, AttributeError):
        return "is no checkpoint: its config.json or its list of weights is damaged"
    if found != kind:
        return f"is a checkpoint of another kind of model: {found}, not {kind}"
    missing = [name for name in shards if not (folder / name).is_file()]
    if missing:
        return f"lacks {len(missing)} of its {len(shards)} files of weights, the first is {missing[0]}"
    return next((f"has a truncated file: {name}" for name in shards if _is_truncated(folder / name)), "")


def _is_truncated(path):
    """A safetensors file says in its head where its last tensor ends."""
    if path.suffix != ".safetensors":
        return path.stat().st_size == 0
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            head = json.loads(file.read(size))
        except ValueError:
            return True
    ends = [entry["data_offsets"][1] for name, entry in head.items() if name != "__metadata__"]
    return path.stat().st_size < 8 + size + max(ends, default=0)
