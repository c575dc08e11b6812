"""customize.py: loading it and calling its hooks under CM's contract, with failures turned into diagnoses."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH103, PTH113, PTH120
from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .compat.dialect import CM, MLC, Dialect, dialect_of
from .confidential import secrets_of, without
from .digest import digest
from .errors import CMBenchError, StepFailed
from .frame import Frame

if TYPE_CHECKING:
    from .contract import ScriptInput

__all__ = ["Hooks"]


class Hooks:
    """Calls `preprocess`, `postprocess` … of script directories; modules are loaded once per process."""

    def __init__(self, automation: Any = None) -> None:
        self.automation = automation
        self._modules: dict[str, ModuleType] = {}

    def call(self, frame: Frame, phase: str, log: str) -> dict[str, Any]:
        """Run one hook on a frame; it may change the frame's env, state and meta in place.

        Raises:
            StepFailed: the hook raised, or returned an error; the traceback goes to the log, not to the user.
        """
        speech = dialect_of(frame)
        module = self._load(_code_of(frame), speech)
        # in CM's own dialect hooks work on the live mapping; the other one gets a translated copy
        env = frame.env.values if speech is CM else speech.outward(frame.env.values)
        from .contract import hook_input, script_input

        asked = hook_input(frame, script_input(frame, self.automation, module, log), phase, env)
        if speech is not CM:  # CM's own hooks get no constants
            asked.update(const=speech.outward(frame.const), const_state=frame.const_state)
            asked["state"] = speech.state_outward(frame.state.values)
        try:
            result = getattr(module, phase)(asked)
        except CMBenchError:
            raise
        except Exception as error:
            raise _raised(frame, phase, error, log) from error
        finally:
            if speech is not CM:
                frame.env.replace(speech.inward(env))
                frame.const = speech.inward(asked["const"])
                frame.state.replace(speech.state_inward(asked["state"]))
        result = result if isinstance(result, Mapping) else {"return": 0}
        if int(result.get("return") or 0) > 0:
            raise _refused(frame, phase, result)
        return dict(result)

    def script_input(self, frame: Frame, log: str) -> ScriptInput:
        """The frame's `run_script_input`, for helpers that are called from outside a hook."""
        path = _code_of(frame)
        module = self._load(path, dialect_of(frame)) if os.path.isfile(path) else ModuleType("no_customize")
        from .contract import script_input

        return script_input(frame, self.automation, module, log)

    def _load(self, path: str, speech: Dialect) -> ModuleType:
        if path not in self._modules:
            if speech is MLC:
                from pathlib import Path

                from .compat.mlcmodule import make_importable

                make_importable(Path(path).parents[2] / "automation")
            name = f"cm4bench_customize_{digest(path)[:12]}"
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


def _code_of(frame: Frame) -> str:
    return f"{frame.script.folder}/customize.py"


def _refused(frame: Frame, phase: str, result: Mapping[str, Any]) -> StepFailed:
    cause = str(result.get("error") or f"{phase} of {frame.label} failed")
    return StepFailed(without(cause, secrets_of(frame.env.values)), hint=result.get("hint"), code=int(result["return"]))


def _raised(frame: Frame, phase: str, error: Exception, log: str) -> StepFailed:
    """Name the line of the script's own code that raised; keep the whole traceback in the log."""
    import traceback
    from pathlib import Path

    os.makedirs(os.path.dirname(log), exist_ok=True)
    secrets = secrets_of(frame.env.values)
    with open(log, "a", encoding="utf-8") as file:
        file.write(without("".join(traceback.format_exception(error)), secrets))
    own = [f for f in traceback.extract_tb(error.__traceback__) if frame.script.folder in f.filename]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else _code_of(frame)
    failure = StepFailed(
        f"{phase} of {frame.label} raised {type(error).__name__}: {without(str(error), secrets)} ({where})",
        hint="run the same command with --debug for the traceback",
    )
    failure.log = Path(log)
    return failure
