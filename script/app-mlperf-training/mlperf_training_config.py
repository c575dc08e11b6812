"""The harness's TrainConfig from the environment of a CM script. Pure, but for counting the host's GPUs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig

Env = Mapping[str, Any]

OPTION, RECIPE = "CM_MLPERF_TRAINING_OPTION_", "CM_MLPERF_TRAINING_RECIPE_"
_GPUS = Path("/proc/driver/nvidia/gpus")
_YES = {"yes", "on", "true", "1"}

_NUMBERS = {
    "accumulation": ("CM_MLPERF_TRAINING_ACCUMULATION", int),
    "seed": ("CM_MLPERF_TRAINING_SEED", int),
    "runs": ("CM_MLPERF_TRAINING_RUNS", int),
    "target": ("CM_MLPERF_TRAINING_TARGET", float),
    "max_minutes": ("CM_MLPERF_TRAINING_MAX_MINUTES", float),
    "threads": ("CM_NUM_THREADS", int),
    "loader_workers": ("CM_MLPERF_TRAINING_LOADER_WORKERS", int),
    "nodes": ("CM_MLPERF_TRAINING_NODES", int),
    "node_rank": ("CM_MLPERF_TRAINING_NODE_RANK", int),
    "checkpoint_every_s": ("CM_MLPERF_TRAINING_CHECKPOINT_EVERY", float),
    "monitor_every_s": ("CM_MLPERF_TRAINING_MONITOR_EVERY", float),
    "hang_timeout_s": ("CM_MLPERF_HANG_TIMEOUT", float),
}
_TEXTS = {
    "rendezvous": "CM_MLPERF_TRAINING_RENDEZVOUS",
    "strategy": "CM_MLPERF_TRAINING_STRATEGY",
    "division": "CM_MLPERF_SUBMISSION_DIVISION",
    "organization": "CM_MLPERF_SUBMITTER",
}


def build(env: Env, output_dir: Path, device: str) -> TrainConfig:
    """The training that ``env`` describes, on ``device`` (cpu or cuda).

    Raises TrainingError naming a value that cannot be, ValueError naming a key that is not a number.
    """
    import msgspec

    fields: dict[str, Any] = {
        "task": text(env, "CM_MLPERF_TRAINING_TASK"),
        "task_path": [folder for folder in text(env, "CM_MLPERF_TRAINING_TASK_PATH").split(os.pathsep) if folder],
        "benchmark": text(env, "CM_MLPERF_TRAINING_BENCHMARK") or text(env, "CM_MODEL"),
        "dataset": text(env, "CM_MLPERF_TRAINING_DATASET"),
        "data": text(env, "CM_MLPERF_TRAINING_DATA") or None,
        "tier": text(env, "CM_MLPERF_DATA_TIER"),
        "output_dir": str(output_dir),
        "options": collected(env, OPTION),
        "recipe": collected(env, RECIPE),
        "device": device,
        "precision": _precision(env, device),
        "channels_last": _flag(env, "CM_MLPERF_TRAINING_CHANNELS_LAST", default=device == "cuda"),
        "compile": _flag(env, "CM_MLPERF_TRAINING_COMPILE", default=False),
        "keep_checkpoint": _flag(env, "CM_MLPERF_TRAINING_KEEP_CHECKPOINT", default=False),
        "processes": _processes(text(env, "CM_MLPERF_TRAINING_PROCESSES"), device),
        "resume": bool(text(env, "CM_MLPERF_TRAINING_RESUME")),
        "platform": text(env, "CM_HW_NAME") or platform.node() or "unnamed",
    }
    fields |= {name: value for name, key in _TEXTS.items() if (value := text(env, key))}
    numbers = {name: _number(env, key, kind) for name, (key, kind) in _NUMBERS.items()}
    fields |= {name: value for name, value in numbers.items() if value is not None}
    return TrainConfig.from_json(msgspec.json.encode(fields))


def collected(env: Env, prefix: str) -> dict[str, str]:
    """All keys with a prefix, by the rest of their name in lower case: options and hyper-parameters."""
    keys = sorted(key for key in env if key.startswith(prefix))
    return {key.removeprefix(prefix).lower(): text(env, key) for key in keys if text(env, key)}


def _precision(env: Env, device: str) -> str:
    asked = text(env, "CM_MLPERF_TRAINING_PRECISION") or "auto"
    return asked if asked != "auto" else {"cuda": "bf16"}.get(device, "fp32")


def _processes(asked: str, device: str) -> int:
    """One per visible GPU unless a number was asked for; one on a CPU."""
    if asked not in ("", "auto"):
        try:
            return int(asked)
        except ValueError:
            raise ValueError(f"--gpus_per_node={asked} is neither a number nor auto") from None
    return visible_gpus(os.environ) or 1 if device == "cuda" else 1


def visible_gpus(environ: Mapping[str, str], gpus: Path = _GPUS) -> int:
    """GPUs that a program started now would see: CUDA_VISIBLE_DEVICES where it is set, else the driver's list."""
    if "CUDA_VISIBLE_DEVICES" in environ:
        return len([one for one in environ["CUDA_VISIBLE_DEVICES"].split(",") if one.strip() not in ("", "-1")])
    try:
        return len(list(gpus.iterdir()))
    except OSError:
        return 0


def _flag(env: Env, key: str, *, default: bool) -> bool:
    value = text(env, key).lower()
    return value in _YES if value else default


def _number(env: Env, key: str, kind: type[int] | type[float]) -> int | float | None:
    value = text(env, key)
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{key} is {value!r}, which is no {'whole ' if kind is int else ''}number") from None


def text(env: Env, key: str) -> str:
    """The value as stripped text; empty when unset."""
    value = env.get(key)
    return "" if value is None else str(value).strip()
