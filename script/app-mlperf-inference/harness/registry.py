"""Names of tasks and backends, resolved to their modules only when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from harness.errors import HarnessError

FACTORIES: dict[str, dict[str, str]] = {
    "task": {
        "image-classification": "harness.tasks.image_classification:ImageClassification",
        "null": "harness.tasks.null:NullTask",
    },
    "backend": {
        "pytorch": "harness.backends.pytorch:PytorchBackend",
        "null": "harness.backends.null:NullBackend",
    },
    "architecture": {
        "efficientnet-lite0": "harness.models.efficientnet_lite:build",
        "resnet50-v1.5": "harness.models.resnet50:build",
    },
}


def require_known(kind: str, name: str) -> None:
    """Raise ValueError unless `name` is registered or a dotted path `package.module:Name`."""
    if name not in FACTORIES[kind] and ":" not in name:
        known = ", ".join(sorted(FACTORIES[kind]))
        raise ValueError(f"unknown {kind} {name!r} (known: {known}, or a dotted path package.module:Name)")


def resolve(kind: str, name: str) -> Any:
    """Return the factory behind a name or dotted path.

    Raises:
        HarnessError: kind `config` when the name is unknown or its module cannot be imported.
    """
    try:
        require_known(kind, name)
        module_name, attribute = FACTORIES[kind].get(name, name).split(":", 1)
        return getattr(importlib.import_module(module_name), attribute)
    except ValueError as error:
        raise HarnessError("config", str(error)) from error
    except (ImportError, AttributeError) as error:
        raise HarnessError("config", f"{kind} {name!r} cannot be loaded: {error}") from error
