"""From the dotted path of a task to the task."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.task import Setup, Task


def load_task(config: TrainConfig) -> Task:
    """Import and build the task; TrainingError of kind `task` where its module or class is not there, `data` …"""
    for folder in reversed(config.task_path):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    data = Path(config.data) if config.data else None
    if data is not None and not data.exists():
        raise TrainingError("data", f"the data folder {data} is not there", f"ls {data.parent}")
    return task_class(config)(Setup(data=data, options=config.options, seed=config.seed))


def task_class(config: TrainConfig) -> type[Task]:
    """The class that ``config.task`` names."""
    module, _, name = config.task.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        cause = f"there is no module {module} for the task {config.task}"
        raise TrainingError("task", cause, f"looked in {', '.join(config.task_path) or 'sys.path'}") from error
    except AttributeError as error:
        raise TrainingError("task", f"module {module} has no {name}", "task is package.module:Class") from error
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise TrainingError("task", f"{config.task} is no subclass of trainer.task.Task", "")
    return found
