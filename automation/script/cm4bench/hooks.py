"""customize.py: loading it and calling its hooks under CM's contract, with failures turned into diagnoses."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from .errors import CMBenchError, StepFailed
from .frame import Frame

__all__ = ["Hooks", "os_info"]


class Hooks:
    """Calls `preprocess`, `postprocess` … of script directories; modules are loaded once per process."""

    def __init__(self, automation: Any = None) -> None:
        self.automation = automation
        self._modules: dict[Path, ModuleType] = {}

    def call(self, frame: Frame, phase: str, log: Path) -> dict[str, Any]:
        """Run one hook on a frame; it may change the frame's env, state and meta in place.

        Raises:
            StepFailed: the hook raised, or returned an error; the traceback goes to the log, not to the user.
        """
        module = self._load(frame.script.path / "customize.py")
        try:
            result = getattr(module, phase)(self._contract(frame))
        except CMBenchError:
            raise
        except Exception as error:
            raise _raised(frame, phase, error, log) from error
        result = result if isinstance(result, Mapping) else {"return": 0}
        if int(result.get("return") or 0) > 0:
            raise StepFailed(str(result.get("error") or f"{phase} of {frame.label} failed"), hint=result.get("hint"))
        return dict(result)

    def _load(self, path: Path) -> ModuleType:
        if path not in self._modules:
            name = f"cm4bench_customize_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except Exception as error:
                del sys.modules[name]
                raise StepFailed(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
            self._modules[path] = module
        return self._modules[path]

    def _contract(self, frame: Frame) -> dict[str, Any]:
        """The dictionary that CM scripts know as `i`."""
        repo = frame.script.repo
        artifact = SimpleNamespace(
            meta=frame.meta,
            path=str(frame.script.path),
            repo_path=str(repo.path),
            repo_meta={"alias": repo.alias, "uid": repo.uid, "prefix": repo.prefix},
        )
        return {
            "input": dict(frame.call.options),
            "automation": self.automation,
            "artifact": artifact,
            "customize": frame.meta.get("customize") or {},
            "os_info": os_info(),
            "recursion_spaces": "  " * (len(frame.chain) - 1),
            "script_tags": list(frame.call.query.tags),
            "variation_tags": list(frame.selected.names),
            "env": frame.env.values,
            "state": frame.state.values,
            "meta": frame.meta,
            "run_script_input": frame.native_input,
        }


def os_info() -> dict[str, Any]:
    """What CM scripts ask of the platform (POSIX shells)."""
    return {
        "platform": "linux" if os.name == "posix" else "windows",
        "bat_ext": ".sh",
        "bits": "64" if sys.maxsize > 2**32 else "32",
        "python_bits": "64" if sys.maxsize > 2**32 else "32",
        "env": {},
        "env_separator": os.pathsep,
        "env_var": "${env_var}",
        "set_env": 'export ${key}="${value}"',
        "set_exec_file": 'chmod 755 "${file_name}"',
        "bat_rem": "# ${rem}",
        "run_bat": ". ${bat_file}",
        "run_local_bat": ". ./${bat_file}",
        "run_local_bat_from_python": 'bash -c ". ./${bat_file}"',
        "start_script": ["#!/bin/bash", ""],
    }


def _raised(frame: Frame, phase: str, error: Exception, log: Path) -> StepFailed:
    """Name the line of the script's own code that raised; keep the whole traceback in the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    own = [f for f in traceback.extract_tb(error.__traceback__) if str(frame.script.path) in f.filename]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else str(frame.script.path / "customize.py")
    failure = StepFailed(
        f"{phase} of {frame.label} raised {type(error).__name__}: {error} ({where})",
        hint="run the same command with --debug for the traceback",
    )
    failure.log = log
    return failure
