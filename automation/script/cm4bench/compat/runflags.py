"""CM's flags that change what is asked; those that ask for something afterwards are in afterrun.py."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH109
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..manifest import is_yes

__all__ = ["environment_of", "in_cm_names", "with_extra_command"]

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
