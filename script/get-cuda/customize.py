"""Find the driver (NVML, else libcuda) and the toolkit (nvcc beside its version.json). Starts nvcc only if it must."""

import ctypes
import json
import re
import shutil
import subprocess
from pathlib import Path

USUAL_ROOTS = ("/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda")


def preprocess(i):
    env = i["env"]
    driver, tried = find_driver()
    if driver is None:
        return _error(
            f"no usable NVIDIA driver on this machine: {'; '.join(tried)}",
            "nvidia-smi shows what the driver sees; for a run on the CPU use _cpu or --device=cpu",
        )
    env["CM_CUDA_DRIVER_VERSION"] = driver["driver"]
    env["CM_CUDA_DRIVER_CUDA_VERSION"] = env["CM_CUDA_VERSION"] = driver["cuda"]
    if env["CM_CUDA_NEEDS"] == "toolkit":
        return _toolkit(env)
    env["CM_CUDA_VERSION_STRING"] = version_string(driver["cuda"])
    return {"return": 0}


def find_driver():
    """The driver's versions, or None; and what was tried, in words."""
    tried = []
    for look in (_by_nvml, _by_libcuda):
        found, problem = look()
        if found:
            return found, tried
        tried.append(problem)
    tool = shutil.which("nvidia-smi")
    tried.append(f"nvidia-smi is at {tool}" if tool else "nvidia-smi is not on PATH")
    return None, tried


def cuda_version(number):
    """CUDA's integer version: 12040 → `12.4`."""
    return f"{number // 1000}.{number % 1000 // 10}"


def version_string(version):
    """`12.4.1` → `cu1241`, as in the names of wheel indexes."""
    return "cu" + version.replace(".", "")


def find_nvcc(asked):
    """Path of nvcc: below the root the user named, else on PATH, else at the usual places; and where was looked."""
    roots = (asked,) if asked else USUAL_ROOTS
    candidates = [Path(root).expanduser() / "bin" / "nvcc" for root in roots]
    on_path = None if asked else shutil.which("nvcc")
    found = on_path or next((str(path) for path in candidates if path.is_file()), "")
    return found, [*([] if asked else ["PATH"]), *map(str, candidates)]


def toolkit_version(nvcc):
    """The release of a toolkit: from its version.json, else from what nvcc prints; empty when neither tells."""
    described = Path(nvcc).resolve().parent.parent / "version.json"
    try:
        return str(json.loads(described.read_text())["cuda"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return parse_nvcc(_run_nvcc(nvcc))


def parse_nvcc(text):
    """`… release 12.4, V12.4.131` → `12.4.131`."""
    found = re.search(r"release \d+\.\d+, V(\d+(?:\.\d+)+)", text)
    return found[1] if found else ""


def _by_nvml():
    try:
        import pynvml
    except ImportError:
        return None, "the Python package nvidia-ml-py is not installed"
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return None, f"NVML: {error}"
    try:
        cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        return {"driver": _text(pynvml.nvmlSystemGetDriverVersion()), "cuda": cuda_version(cuda)}, ""
    except pynvml.NVMLError as error:
        return None, f"NVML: {error}"
    finally:
        pynvml.nvmlShutdown()


def _by_libcuda():
    """libcuda alone: as in containers that carry no NVML."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None, "libcuda.so.1 cannot be loaded"
    number = ctypes.c_int()
    status = library.cuInit(0) or library.cuDriverGetVersion(ctypes.byref(number))
    if status:
        return None, f"libcuda.so.1 is there, but cuInit gives error {status}"
    return {"driver": "", "cuda": cuda_version(number.value)}, ""


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _run_nvcc(nvcc):
    try:
        return subprocess.run([nvcc, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _toolkit(env):
    nvcc, places = find_nvcc(str(env.get("CM_CUDA_PATH") or "").strip())
    if not nvcc:
        return _error(
            f"driver {env['CM_CUDA_DRIVER_VERSION']} is there, but no CUDA toolkit: no nvcc at {', '.join(places)}",
            "name its root: --cuda_path=/usr/local/cuda-12.4, or ask for the driver alone: cmr 'get cuda _driver'",
        )
    version = toolkit_version(nvcc)
    if not version:
        return _error(f"{nvcc} does not tell its version", f"{nvcc} --version")
    root = Path(nvcc).resolve().parent.parent
    env["CM_NVCC_BIN_WITH_PATH"], env["CM_NVCC_BIN"] = nvcc, Path(nvcc).name
    env["CM_CUDA_VERSION"] = version
    env["CM_CUDA_VERSION_STRING"] = version_string(version)
    env["CM_CUDA_CACHE_TAGS"] = f"version-{version}"
    env["CUDA_HOME"] = env["CUDA_PATH"] = env["CM_CUDA_INSTALLED_PATH"] = str(root)
    env["CM_CUDA_PATH_BIN"] = str(root / "bin")
    _add_folder(env, "+PATH", root / "bin")
    _add_folder(env, "+C_INCLUDE_PATH", root / "include")
    _add_folder(env, "+CPLUS_INCLUDE_PATH", root / "include")
    _add_folder(
        env, "+LD_LIBRARY_PATH", next((p for p in (root / "lib64", root / "lib") if p.is_dir()), root / "lib64")
    )
    return {"return": 0, "version": version}


def _add_folder(env, key, folder):
    if folder.is_dir() and str(folder) not in env.get(key, []):
        env[key] = [*env.get(key, []), str(folder)]


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
