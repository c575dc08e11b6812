"""A configuration as the environment of the training scripts. What a command line said already is left alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlperf_lite import taskflags
from mlperf_lite.errors import LiteError
from mlperf_lite.reading import Given
from trainer.recipe import Recipe

#: the model that the front door takes where nobody has named one
DEFAULTED = "CM_MLPERF_LITE_MODEL_BY_DEFAULT"
RECIPE = "CM_MLPERF_TRAINING_RECIPE_"
OPTION = "CM_MLPERF_TRAINING_OPTION_"
TASK = "mlperf_lite.own:OwnTask"
_KEYS = {
    "target": "CM_MLPERF_TRAINING_TARGET",
    "seed": "CM_MLPERF_TRAINING_SEED",
    "runs": "CM_MLPERF_TRAINING_RUNS",
    "max_minutes": "CM_MLPERF_TRAINING_MAX_MINUTES",
    "device": "CM_MLPERF_DEVICE",
    "processes": "CM_MLPERF_TRAINING_PROCESSES",
    "strategy": "CM_MLPERF_TRAINING_STRATEGY",
    "precision": "CM_MLPERF_TRAINING_PRECISION",
    "accumulation": "CM_MLPERF_TRAINING_ACCUMULATION",
    "workers": "CM_MLPERF_TRAINING_LOADER_WORKERS",
    "threads": "CM_NUM_THREADS",
    "compile": "CM_MLPERF_TRAINING_COMPILE",
    "channels_last": "CM_MLPERF_TRAINING_CHANNELS_LAST",
    "checkpoint_every": "CM_MLPERF_TRAINING_CHECKPOINT_EVERY",
    "monitor_every": "CM_MLPERF_TRAINING_MONITOR_EVERY",
}


def environment(given: Given, present: Mapping[str, Any], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Keys that the configuration sets, without those that ``present`` has: flags win.

    Raises:
        LiteError: an option that no task has, or a folder that is not there.
    """
    known = taskflags.flags() if known is None else known
    config = given.config
    asked = str(present.get("CM_MODEL") or "")
    asked = "" if asked == present.get(DEFAULTED) else asked
    wanted = _own(given, asked) if config.dataset.own else _named(given, known)
    wanted |= _training(given)
    wanted |= {
        "CM_MLPERF_LITE_FORMATS": ",".join(config.report.formats),
        "CM_MLPERF_LITE_REPORT_DIR": str(given.folder / config.report.folder) if config.report.folder else "",
        "CM_MLPERF_LITE_TITLE": config.report.title,
        "CM_MLPERF_LITE_MISSED": config.missed,
    }
    kept = {key for key in present if present[key] and (key != "CM_MODEL" or asked)}
    return {key: value for key, value in wanted.items() if value and key not in kept}


def _named(given: Given, known: Mapping[str, str]) -> dict[str, str]:
    """A model and a data set that the tasks have."""
    dataset, model = given.config.dataset, given.config.model
    wanted = {
        "CM_MODEL": model.name,
        "CM_MLPERF_TRAINING_DATASET": dataset.name,
        "CM_MLPERF_DATA_TIER": dataset.tier or ("full" if dataset.path else ""),
    }
    options = {
        name: _folder(given, str(value)) if name.endswith("_path") else value
        for name, value in (model.options | dataset.options).items()
    }
    if dataset.path:
        options[taskflags.path_flag(dataset.name, known)] = _folder(given, dataset.path)
    return wanted | taskflags.keys(options, known)


def _own(given: Given, asked: str) -> dict[str, str]:
    """A data set of the user's: the task is ours, and no script has to be asked for it. ``asked``: --model, if any."""
    dataset, model = given.config.dataset, given.config.model
    ours = Path(__file__).parents[1]
    folders = (given.folder / dataset.code, ours, *sorted(taskflags.SCRIPTS.glob("get-mlperf-training-task-image-*")))
    network = asked or model.own or model.name or "resnet"
    options = {**dataset.options, **model.options, "dataset_class": dataset.own, "model": network}
    return {
        "CM_MODEL": asked or model.name or "own",
        # no name of MLPerf's, and never the tier of an official data set: nobody shall take this for a submission
        "CM_MLPERF_TRAINING_TASK": TASK,
        "CM_MLPERF_TRAINING_TASK_PATH": os.pathsep.join(map(str, folders)),
        "CM_MLPERF_TRAINING_BENCHMARK": "own",
        "CM_MLPERF_TRAINING_DATASET": dataset.name or str(dataset.own).rpartition(":")[2].lower(),
        "CM_MLPERF_TRAINING_DATA": _folder(given, dataset.path) if dataset.path else "",
        "CM_MLPERF_DATA_TIER": dataset.tier or "embedded",
        **{f"{OPTION}{name.upper()}": taskflags.text(value) for name, value in options.items()},
    }


def _folder(given: Given, path: str) -> str:
    found = given.folder / Path(path).expanduser()
    if not found.exists():
        raise LiteError(f"{given.path}: there is no {found}", f"ls {found.parent}")
    return str(found.resolve())


def _training(given: Given) -> dict[str, str]:
    said = given.said("training")
    recipe = {f"{RECIPE}{name.upper()}": said[name] for name in said if name in Recipe.__struct_fields__}
    others = {_KEYS[name]: said[name] for name in said if name in _KEYS}
    return {key: taskflags.text(value) for key, value in (recipe | others).items() if value is not None}
