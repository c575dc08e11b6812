"""Names of tasks, backends, engines and architectures, resolved to their modules only when they are used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from harness.errors import HarnessError

FACTORIES: dict[str, dict[str, str]] = {
    "task": {
        "null": "harness.tasks.null:NullTask",
        "null-generation": "harness.tasks.null:NullGeneration",
    },
    "backend": {
        "pytorch": "harness.backends.pytorch:PytorchBackend",
        "network": "harness.backends.network:NetworkBackend",
        "null": "harness.backends.null:NullBackend",
        "onnxruntime": "harness.backends.onnxruntime:OnnxRuntimeBackend",
        "tensorrt": "harness.backends.onnxruntime:TensorRTBackend",
        "openvino": "harness.backends.openvino:OpenVINOBackend",
        "tflite": "harness.backends.tflite:TFLiteBackend",
        "tvm": "harness.backends.tvm:TVMBackend",
    },
    "engine": {
        "pytorch": "harness.engines.pytorch:PytorchEngine",
        "transformers": "harness.engines.transformers:TransformersEngine",
        "vllm": "harness.engines.vllm:VllmEngine",
        "null": "harness.engines.null:NullEngine",
    },
    "architecture": {},
}


def require_known(name: str, *kinds: str) -> None:
    """Raise ValueError unless `name` is registered under one of `kinds` or a dotted path `package.module:Name`."""
    if ":" not in name and not any(name in FACTORIES[kind] for kind in kinds):
        known = ", ".join(sorted({one for kind in kinds for one in FACTORIES[kind]}))
        raise ValueError(f"unknown {kinds[0]} {name!r} (known: {known}, or a dotted path package.module:Name)")


def add_paths(folders: Sequence[str]) -> None:
    """Make the packages in `folders` importable, after everything that already is."""
    sys.path.extend(folder for folder in folders if folder not in sys.path)


def resolve(kind: str, name: str) -> Any:
    """Return the factory behind a name or dotted path.

    Raises:
        HarnessError: kind `config` when the name is unknown or its module cannot be imported.
    """
    try:
        require_known(name, kind)
        module_name, attribute = FACTORIES[kind].get(name, name).split(":", 1)
        return getattr(importlib.import_module(module_name), attribute)
    except ValueError as error:
        raise HarnessError("config", str(error)) from error
    except (ImportError, AttributeError) as error:
        raise HarnessError("config", f"{kind} {name!r} cannot be loaded: {error}") from error
