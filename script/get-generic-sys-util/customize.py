"""Find a tool; when it is missing, say exactly what would install it. Nothing is installed unless the user asked."""

import os
import shlex
import shutil
import sys
from pathlib import Path

INCLUDE_FOLDERS = ("/usr/include", "/usr/local/include", "/opt/homebrew/include")
YES = ("yes", "true", "1", "on")


def preprocess(i):
    env, state = i["env"], i["state"]
    name = str(env.get("CM_SYS_UTIL_NAME") or "").strip()
    if not name:
        return _error("no tool was named", 'name it in a variation: cmr "get generic-sys-util _cmake"')
    if _record(env, name):
        return {"return": 0}
    command = install_command(env, name, state.get(name) or {})
    if str(env.get("CM_GENERIC_SYS_UTIL_IGNORE_MISSING_PACKAGE", "")).lower() in YES:
        return {"return": 0}
    if not command:
        return _error(f"{name} is missing, and no package manager is known here", f"install {name}, then run again")
    env["CM_SYS_UTIL_INSTALL_CMD"] = command
    if str(env.get("CM_SUDO_USER", "")).lower() not in YES:
        prefix = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
        return _error(f"{name} is missing", f"{prefix}{command}   (or run again with --sudo to have it installed)")
    print(f"installing {name}: {command}", file=sys.stderr)
    i["run_script_input"]["script_name"] = "install"
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    found = _record(env, env["CM_SYS_UTIL_NAME"])
    if not found and env.get("CM_SYS_UTIL_INSTALL_CMD"):
        return _error(
            f"{env['CM_SYS_UTIL_NAME']} is still missing after: {env['CM_SYS_UTIL_INSTALL_CMD']}", "see the log"
        )
    return {"return": 0}


def install_command(env, name, packages):
    """The package manager's command; empty when the package manager is not known."""
    manager = env.get("CM_HOST_OS_PACKAGE_MANAGER", "")
    install = env.get("CM_HOST_OS_PACKAGE_MANAGER_INSTALL_CMD", "")
    return f"{install} {shlex.quote(packages.get(manager) or name)}" if install else ""


def find(check):
    """Path of a command, or of a header for `h:NAME`; empty when there is none."""
    kind, colon, rest = check.partition(":")
    if colon and kind == "h":
        return next((str(Path(folder) / rest) for folder in INCLUDE_FOLDERS if (Path(folder) / rest).is_file()), "")
    return shutil.which(check) or ""


def _record(env, name):
    path = find(str(env.get("CM_SYS_UTIL_CHECK") or name))
    env["CM_SYS_UTIL_FOUND"] = "yes" if path else "no"
    env["CM_SYS_UTIL_BIN_WITH_PATH"] = path
    return bool(path)


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
