"""The dictionaries that a customize.py is called with: CM's contract between an engine and a script's own Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from .dependencies import LOCAL_KEYS
from .frame import Frame

__all__ = ["Artifact", "ScriptInput", "hook_input", "os_info", "script_input"]

_SCRIPT_AUTOMATION = "script,5b4e0237da074764"


class Artifact:
    """A script folder as CM shows it to hooks."""

    def __init__(self, frame: Frame) -> None:
        repo = frame.script.repo
        self.meta = frame.meta
        self.path = frame.script.folder
        self.repo_path = repo.folder
        self.repo_meta = {"alias": repo.alias, "uid": repo.uid, "prefix": repo.prefix}


class ScriptInput(dict[str, Any]):
    """`run_script_input`: what the script's native part will be run with; hooks read and change it.

    `frame` and `log_file` are ours: the helpers that run native scripts on a hook's behalf need them.
    """

    frame: Frame
    log_file: str
    module: ModuleType


def script_input(frame: Frame, automation: Any, module: ModuleType, log: str) -> ScriptInput:
    """The frame's one `run_script_input`, made at its first hook and kept for the later ones."""
    if not isinstance(frame.native_input, ScriptInput):
        made = ScriptInput({**_native_part(frame, automation), **frame.native_input})
        made["customize_code"] = module
        made["customize_common_input"] = _common_part(frame, automation)
        frame.native_input = made
    given = frame.native_input
    given.frame, given.log_file, given.module = frame, log, module
    return given


def _native_part(frame: Frame, automation: Any) -> dict[str, Any]:
    return {
        "path": frame.script.folder,
        "bat_ext": ".sh",
        "os_info": os_info(),
        "const": frame.const,
        "const_state": frame.const_state,
        "state": frame.state.values,
        "run_state": {"deps": [], "version_info": []},
        "reuse_cached": False,
        "found_cached": False,
        "recursion": bool(frame.call.chain),
        "recursion_spaces": _indent(frame),
        "remembered_selections": [],
        "tmp_file_run_state": "tmp-run-state.json",
        "tmp_file_run_env": "tmp-run-env.out",
        "tmp_file_state": "tmp-state.json",
        "tmp_file_run": "tmp-run",
        "local_env_keys": list(LOCAL_KEYS),
        "local_env_keys_from_meta": list(frame.script.raw.get("local_env_keys") or ()),
        "posthook_deps": frame.deps["posthook_deps"],
        "add_deps_recursive": frame.adr,
        "found_script_tags": list(frame.script.tags),
        "variation_tags_string": "".join(f",_{name}" for name in frame.selected.names).lstrip(","),
        "debug_script_tags": "",
        "verbose": False,
        "meta": frame.meta,
        "self": automation,
    }


def _common_part(frame: Frame, automation: Any) -> dict[str, Any]:
    return {
        "input": _given(frame, automation),
        "automation": automation,
        "artifact": Artifact(frame),
        "customize": frame.meta.get("customize") or {},
        "os_info": os_info(),
        "recursion_spaces": _indent(frame),
        "script_tags": list(frame.call.query.tags),
        "variation_tags": list(frame.selected.names),
    }


def hook_input(frame: Frame, given: ScriptInput, phase: str, env: dict[str, Any]) -> dict[str, Any]:
    """The dictionary that CM scripts know as `i`. A `detect_version` hook gets no `run_script_input`."""
    hook = {**given["customize_common_input"], "env": env, "state": frame.state.values, "meta": frame.meta}
    return hook if phase == "detect_version" else {**hook, "run_script_input": given}


def _given(frame: Frame, automation: Any) -> dict[str, Any]:
    """The input of the call: as typed for the requested script, assembled for a dependency."""
    typed: Mapping[str, Any] | None = getattr(automation, "given_input", None)
    if not frame.call.chain:
        return dict(frame.call.options if typed is None else typed)
    return {
        "action": "run",
        "automation": _SCRIPT_AUTOMATION,
        "tags": str(frame.call.query),
        "env": frame.env.values,
        "state": frame.state.values,
        **frame.call.options,
    }


def _indent(frame: Frame) -> str:
    return "  " * (len(frame.chain) - 1)


def os_info() -> dict[str, Any]:
    """What CM scripts ask of the platform (POSIX shells)."""
    bits = "64" if sys.maxsize > 2**32 else "32"
    return {
        "platform": "darwin" if sys.platform == "darwin" else "linux" if os.name == "posix" else "windows",
        "bat_ext": ".sh",
        "bits": bits,
        "python_bits": bits,
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
