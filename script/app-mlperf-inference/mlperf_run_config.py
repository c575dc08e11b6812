"""The harness's RunConfig from the environment of a CM script. Pure, but for reading which accelerator the host has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config import ModelConfig, RunConfig

Env = Mapping[str, Any]

# Most samples per call where the user chose none: a GPU needs many to be busy, a CPU gains little beyond a few.
DEFAULT_BATCH = {
    "cpu": {"Offline": 8, "Server": 4, "MultiStream": 8, "SingleStream": 1, "Interactive": 4},
    "cuda": {"Offline": 256, "Server": 32, "MultiStream": 8, "SingleStream": 1, "Interactive": 32},
}
IN_FLIGHT = 8  # requests per SUT server: enough for it to batch while others travel
_ANSWER_S = 10.0
_BACKEND_KEYS = ("CM_MLPERF_OWN_BACKEND", "CM_MLPERF_ENGINE", "CM_MLPERF_BACKEND")
SAMPLES_PER_QUERY = {"SingleStream": 1, "MultiStream": 8}
_YES = {"yes", "on", "true", "1"}


def chosen_device(env: Env, accelerator: str) -> str:
    """The device asked for; for `auto` (or nothing) the host's ``accelerator``, cpu or cuda, or a SUT server's device.

    Raises HarnessError of kind `network` where the SUT server does not answer, ValueError for what is no address.
    """
    from harness.network.client import Address, Server

    asked, servers = text(env, "CM_MLPERF_DEVICE") or "auto", _servers(env)
    if asked == "auto" and servers:
        return Server(Address.parse(servers[0]), _ANSWER_S).describe().device
    return accelerator if asked == "auto" else asked


def build(env: Env, output_dir: Path, user_conf: Path | None) -> RunConfig:
    """The run that ``env`` describes. CM_MLPERF_DEVICE must be settled (see `chosen_device`).

    Raises HarnessError naming a value that cannot be, ValueError naming a key that is not a number.
    """
    import msgspec

    scenario, device = text(env, "CM_MLPERF_LOADGEN_SCENARIO"), text(env, "CM_MLPERF_DEVICE")
    servers = _servers(env)
    fields: dict[str, Any] = {
        "model": msgspec.to_builtins(_model(env)),
        "dataset": text(env, "CM_MLPERF_TASK_DATA"),
        "scenario": scenario,
        "output_dir": str(output_dir),
        "tier": text(env, "CM_MLPERF_DATA_TIER"),
        "benchmark": text(env, "CM_MLPERF_BENCHMARK"),
        "benchmark_name": text(env, "CM_MLPERF_BENCHMARK_NAME"),
        "task": text(env, "CM_MLPERF_TASK"),
        "task_path": _packages(env),
        "mode": _mode(env),
        "backend": _backend(env, servers),
        "sut_servers": servers,
        "implementation": text(env, "CM_MLPERF_IMPLEMENTATION") or "python",
        "program": text(env, "CM_MLPERF_CPP_PROGRAM"),
        "device": device,
        "precision": text(env, "CM_MLPERF_MODEL_PRECISION"),
        "batch_size": _batch(env, device, scenario),
        "threads": integer(env, "CM_NUM_THREADS"),
        "workers": integer(env, "CM_MLPERF_WORKERS") or (IN_FLIGHT * len(servers) or 1),
        "compile": text(env, "CM_MLPERF_COMPILE").lower() in _YES,
        "cuda_graphs": text(env, "CM_MLPERF_CUDA_GRAPHS").lower() in _YES,
        "channels_last": text(env, "CM_MLPERF_CHANNELS_LAST").lower() in _YES,
        "user_conf": str(user_conf) if user_conf else None,
        "quality_target": number(env, "CM_MLPERF_QUALITY_TARGET") or None,
        "hang_timeout_s": number(env, "CM_MLPERF_HANG_TIMEOUT") or 120.0,
        **_search_limit(env),
    }
    return RunConfig.from_json(msgspec.json.encode(fields))


def _mode(env: Env) -> str:
    """To the harness, tuning is a series of performance runs."""
    mode = text(env, "CM_MLPERF_LOADGEN_MODE")
    return "performance" if mode == "autotune" else mode


def _servers(env: Env) -> list[str]:
    """Addresses, separated by commas; upstream also writes them as a list."""
    words = text(env, "CM_NETWORK_LOADGEN_SUT_SERVERS").strip("[]").replace("'", "").replace('"', "").split(",")
    return [word.strip() for word in words if word.strip()]


def _backend(env: Env, servers: Sequence[str]) -> str:
    """The user's own class goes before the engine that a task asks for, and that before the chosen framework."""
    if servers:
        return "network"
    engine, backend = text(env, "CM_MLPERF_ENGINE"), text(env, "CM_MLPERF_BACKEND")
    if engine and backend not in ("", "pytorch"):
        raise ValueError(f"{text(env, 'CM_MODEL')} brings its own engine ({engine}): backend {backend} cannot run it")
    return next((text(env, key) for key in _BACKEND_KEYS if text(env, key)), "")


def _packages(env: Env) -> list[str]:
    """Folders that hold the code of the task, and of a backend of the user's own (relative to where they are)."""
    folders = [folder for folder in text(env, "CM_MLPERF_TASK_PATH").split(os.pathsep) if folder]
    own = text(env, "CM_MLPERF_OWN_BACKEND_PATH")
    return [*folders, *([str((Path(text(env, "CM_TMP_CURRENT_PATH") or ".") / own).absolute())] if own else [])]


def _model(env: Env) -> ModelConfig:
    return ModelConfig(
        name=_name(env),
        architecture=text(env, "CM_ML_MODEL_ARCHITECTURE"),
        weights=text(env, "CM_ML_MODEL_FILE_WITH_PATH") or None,
        seed=integer(env, "CM_ML_MODEL_SEED") or 0,
    )


def _name(env: Env) -> str:
    """What was asked for; where a small stand-in from a package takes its place, that too."""
    asked, network = text(env, "CM_MODEL"), text(env, "CM_ML_MODEL")
    stands_in = text(env, "CM_MLPERF_DATA_TIER") == "embedded" and network not in ("", asked)
    return f"{asked} ({network})" if stands_in else asked


def _search_limit(env: Env) -> dict[str, int]:
    """A search reads no user.conf, so a Server limit and a length other than the rules' are handed over beside it."""
    searching = text(env, "CM_MLPERF_LOADGEN_MODE") == "find-performance"
    if not searching or text(env, "CM_MLPERF_LOADGEN_SCENARIO") not in ("Server", "Interactive"):
        return {}
    limit_ms = number(env, "CM_MLPERF_LOADGEN_SERVER_TARGET_LATENCY")
    shortest_ms = integer(env, "CM_MLPERF_INFERENCE_MIN_DURATION")
    limit = {"target_latency_ns": int(limit_ms * 1e6)} if limit_ms else {}
    return limit | ({"min_duration_ms": shortest_ms} if shortest_ms else {})


def _batch(env: Env, device: str, scenario: str) -> int:
    """Most samples per call; a stream's query has one sample or eight, so that larger batches never come up."""
    asked = integer(env, "CM_MLPERF_LOADGEN_MAX_BATCHSIZE")
    size = asked or DEFAULT_BATCH.get(device.partition(":")[0], {}).get(scenario, 1)
    return min(size, SAMPLES_PER_QUERY.get(scenario, size))


def text(env: Env, key: str) -> str:
    """The value as stripped text; empty when unset."""
    value = env.get(key)
    return "" if value is None else str(value).strip()


def number(env: Env, key: str) -> float | None:
    """The value as a number, None when unset; ValueError otherwise."""
    value = text(env, key)
    try:
        return float(value) if value else None
    except ValueError:
        raise ValueError(f"{key} is {value!r}, not a number") from None


def integer(env: Env, key: str) -> int | None:
    """The value as a whole number, None when unset; ValueError otherwise."""
    value = number(env, key)
    if value is not None and not value.is_integer():
        raise ValueError(f"{key} is {value:g}, not a whole number")
    return None if value is None else int(value)
