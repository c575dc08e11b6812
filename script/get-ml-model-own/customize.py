"""Recognise what the user gave, and whether the chosen backend can run it."""

from pathlib import Path

FILES = {".onnx": "onnx", ".tflite": "tflite", ".xml": "openvino"}
BACKENDS = {
    "onnx": ("onnxruntime", "openvino", "tvm"),
    "tflite": ("tflite",),
    "openvino": ("openvino",),
    "transformers": ("pytorch", "onnxruntime", "openvino", "tvm"),
    "timm": ("pytorch", "onnxruntime", "openvino", "tvm"),
}
TIMM = "timm/"


def preprocess(i):
    env = i["env"]
    name = str(env.get("CM_ML_MODEL_OWN_NAME") or "").strip()
    given = str(env.get("CM_ML_MODEL_PATH") or "").strip()
    if not name or name == env.get("CM_MLPERF_MODEL_LIKE"):
        return _error("a model of your own needs a name of its own", "--model=NAME beside --like=BENCHMARK")
    if not given:
        return _error(f"no file was given for the model {name}", "--model_path=FILE (.onnx, .tflite, .xml) or a folder")
    path = (Path(env.get("CM_TMP_CURRENT_PATH") or ".") / given).absolute()
    if not path.exists():
        return _error(f"--model_path={given} does not exist", f"ls -l {path.parent}")
    form = form_of(path, name)
    if not form:
        return _error(f"{path} is no model that is known here", "an .onnx, .tflite or .xml file, a transformers folder")
    backend = env.get("CM_MLPERF_BACKEND") or "pytorch"
    if backend not in BACKENDS[form]:
        return _error(f"the backend {backend} cannot run {path.name}", f"--backend={BACKENDS[form][0]}")
    return _describe(env, name, path, form)


def form_of(path, name):
    """Key of BACKENDS, or empty."""
    if path.is_dir():
        return "transformers" if (path / "config.json").is_file() else ""
    return FILES.get(path.suffix, "timm" if name.startswith(TIMM) else "")


def _describe(env, name, path, form):
    architecture = "none"
    if form in ("transformers", "timm"):
        architecture = str(env.get("CM_MLPERF_TASK_OWN_MODEL") or "")
        if not architecture:
            like = env.get("CM_MLPERF_MODEL_LIKE")
            return _error(f"the task of {like} opens no {form} models", "export it to ONNX: --backend=onnxruntime")
    env["CM_MODEL"] = name
    env["CM_MLPERF_BENCHMARK_NAME"] = "own"  # such a result is no candidate for the closed division
    env["CM_ML_MODEL_ARCHITECTURE"] = architecture
    env["CM_ML_MODEL_FILE_WITH_PATH"] = str(path)
    env["CM_ML_MODEL_FORMAT"] = form
    return {"return": 0}


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
