"""Frameworks that are needed only by the backend that was asked for."""

from __future__ import annotations

import importlib
from typing import Any

from harness.errors import HarnessError

_PIP = {"ai_edge_litert.interpreter": "ai-edge-litert", "tvm": "apache-tvm"}


def package(module: str) -> Any:
    """Import a framework; raises HarnessError of kind `load` where it is not installed or does not start."""
    name = _PIP.get(module, module)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and module.startswith(str(error.name))
        cause = f"the Python package {name} is not installed" if absent else f"{name} does not start: {error}"
        hint = f'cmr "get generic-python-lib _package.{name}", or pip install {name}'
        raise HarnessError("load", cause, hint) from error
