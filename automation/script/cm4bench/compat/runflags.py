"""CM's flags around a run: what they change before it, and what they leave behind after it."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH103, PTH109
from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from ..engine import Report
from ..manifest import is_yes

__all__ = ["after_run", "environment_of", "in_cm_names", "with_extra_command"]

_ENV_FILE = "tmp-env.sh"
_YES_FLAGS = {
    "fake_run": "CM_TMP_FAKE_RUN",
    "prepare": "CM_TMP_FAKE_RUN",
    "fake_deps": "CM_TMP_FAKE_DEPS",
    "skip_sys_utils": "CM_SKIP_SYS_UTILS",
    "skip_sudo": "CM_TMP_SKIP_SUDO",
    "silent": "CM_TMP_SILENT",
    "s": "CM_TMP_SILENT",
    "quiet": "CM_QUIET",
    "verbose": "CM_VERBOSE",
    "v": "CM_VERBOSE",
    "skip_remembered_selections": "CM_SKIP_REMEMBERED_SELECTIONS",
}
_TEXT_FLAGS = (
    *("input", "output", "outdirname", "outbasename", "name", "extra_cache_tags", "skip_compile", "skip_run"),
    *("accept_license", "skip_system_deps", "git_ssh", "gh_token"),
)
_FROM_HOST = ("GH_TOKEN", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def with_extra_command(i: Mapping[str, Any]) -> dict[str, Any]:
    """The input joined by the command line in CM_SCRIPT_EXTRA_CMD, if there is one."""
    extra = os.environ.get("CM_SCRIPT_EXTRA_CMD", "").strip()
    if not extra:
        return dict(i)
    import shlex

    import cmind.cli

    parsed = cmind.cli.parse(["run", "script", *shlex.split(extra)])
    more = {k: v for k, v in (parsed.get("cm_input") or {}).items() if k not in ("action", "automation", "cmd")}
    return {k: _joined(i.get(k), more.get(k)) for k in {**i, **more}}


def _joined(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {k: _joined(old.get(k), new.get(k)) for k in {**old, **new}}
    return old if new is None else new


def in_cm_names(i: Mapping[str, Any]) -> Mapping[str, Any]:
    """The input with `--env.MLC_…` and the like under the names that the engine thinks in."""
    given = {key: i[key] for key in ("env", "const") if i.get(key)}
    if not any(key.startswith("MLC_") for part in given.values() for key in part):
        return i
    from .dialect import to_cm

    return {**i, **to_cm(given)}


def environment_of(i: Mapping[str, Any]) -> dict[str, Any]:
    """The environment that a CM input sets, flags included."""
    env = {name: os.environ[name] for name in _FROM_HOST if os.environ.get(name)}
    env.update(i.get("env") or {})
    env.update({key: "yes" for flag, key in _YES_FLAGS.items() if is_yes(i.get(flag))})
    env.update({f"CM_{name.upper()}": i[name] for name in _TEXT_FLAGS if i.get(name)})
    if i.get("path"):
        env["CM_TMP_PATH"] = i["path"]
    env["CM_TMP_CURRENT_PATH"] = os.getcwd()
    return env


def after_run(i: Mapping[str, Any], report: Report, started: float) -> None:
    """`--save_env`, `--shell`, `--repro`, `--print_env`, `--time`, `--dump_version_info`."""
    if is_yes(i.get("save_env")) or is_yes(i.get("shell")):
        _save_env(report, shell=is_yes(i.get("shell")))
    if is_yes(i.get("repro")):
        _save_repro(i, report)
    if is_yes(i.get("dump_version_info")):
        _write_json("cm-run-script-versions.json", [_version_of(step) for step in report.plan.steps()])
    if i.get("out") != "con":
        return
    if is_yes(i.get("print_env")):
        print(json.dumps(dict(report.env), indent=2, sort_keys=True, default=str))
    if is_yes(i.get("time")):
        print(f"running time: {time.monotonic() - started:.2f} s")


def _version_of(step: Any) -> dict[str, Any]:
    return {"script": step.script.alias, "variations": list(step.variations), "version": step.outcome.version}


def _save_env(report: Report, *, shell: bool) -> None:
    """What the script gave, as a file to source; with `shell`, an interactive shell that has sourced it."""
    import subprocess

    from ..native import export_lines

    prefix = report.state.get("script_prefix") or ()
    lines = ["#!/bin/bash", *prefix, *export_lines(report.outcome.new_env)]
    _write(_ENV_FILE, "\n".join(lines) + "\n")
    if shell:
        print(f"a shell with the script's environment ({_ENV_FILE}); type exit to come back", flush=True)
        subprocess.run(["bash", "--init-file", _ENV_FILE])


def _save_repro(i: Mapping[str, Any], report: Report) -> None:
    """`cm-repro/`: what was asked, on what, and what came out, for a bug report."""
    from ..redact import scrub

    folder = str(i.get("repro_dir") or "cm-repro")
    os.makedirs(folder, exist_ok=True)
    asked = {k: v for k, v in i.items() if not k.startswith("parsed_")}
    outcome = report.outcome
    answer = {"return": 0, "new_env": dict(outcome.new_env), "new_state": dict(outcome.new_state)}
    _write_json(f"{folder}/cm-run-script-input.json", scrub(asked))
    _write_json(f"{folder}/cm-run-script-output.json", scrub(answer))
    _write_json(f"{folder}/cm-run-script-steps.json", [_version_of(step) for step in report.plan.steps()])


def _write_json(path: str, data: Any) -> None:
    _write(path, json.dumps(data, indent=2, sort_keys=True, default=str) + "\n")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
