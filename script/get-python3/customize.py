"""Choose the interpreter of all later steps and make sure that it runs."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

# run in the candidate itself: what it is, and whether pip could install into it
PROBE = """
import importlib.util, json, platform, sys
print(json.dumps({"version": platform.python_version(), "venv": sys.prefix != sys.base_prefix,
                  "pip": importlib.util.find_spec("pip") is not None,
                  "path": [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]}))
"""
OLDEST = (3, 10)


def preprocess(i):
    env = i["env"]
    asked = str(env.get("CM_PYTHON_BIN_WITH_PATH") or "").strip()
    path = find_interpreter(asked) if asked else sys.executable
    if not path:
        return _error(
            f"no Python interpreter at {asked}", "give its path: --env.CM_PYTHON_BIN_WITH_PATH=/usr/bin/python3"
        )
    facts = _own_facts() if _is_this_interpreter(path) else _probe(path)
    if "problem" in facts:
        return _error(
            f"{path} does not run as a Python interpreter: {facts['problem']}",
            "give another: --env.CM_PYTHON_BIN_WITH_PATH=PATH",
        )
    return _accept(env, path, facts)


def find_interpreter(asked):
    """An absolute path, from a path or a name on PATH. Links are kept: a venv is known by the link it was called by."""
    found = shutil.which(Path(asked).expanduser())
    return str(Path(found).absolute()) if found else ""


def _is_this_interpreter(path):
    """Same file by the same name: two virtual environments share one binary and are not the same Python."""
    return Path(path).absolute() == Path(sys.executable).absolute()


def _own_facts():
    import importlib.util

    return {
        "version": platform.python_version(),
        "venv": sys.prefix != sys.base_prefix,
        "pip": importlib.util.find_spec("pip") is not None,
        "path": [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))],
    }


def _probe(path):
    try:
        done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {"problem": done.stderr.strip()[-200:]}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return {"problem": str(error)}


def _accept(env, path, facts):
    version = facts["version"]
    major, minor, patch = [*version.split("+")[0].split("."), "0", "0"][:3]
    if (int(major), int(minor)) < OLDEST:
        return _error(
            f"{path} is Python {version}, too old", "give Python 3.10 or newer: --env.CM_PYTHON_BIN_WITH_PATH=PATH"
        )
    if not facts["pip"]:
        return _error(
            f"{path} (Python {version}) has no pip",
            f"{path} -m ensurepip, or --env.CM_PYTHON_BIN_WITH_PATH=PATH for another one",
        )
    env["CM_PYTHON_BIN_WITH_PATH"] = path
    env["CM_PYTHON_BIN"] = Path(path).name
    env["CM_PYTHON_BIN_PATH"] = str(Path(path).parent)
    env["CM_PYTHON_VERSION"] = version
    env["CM_PYTHON_MAJOR_VERSION"], env["CM_PYTHON_MINOR_VERSION"] = major, minor
    env["CM_PYTHON_PATCH_VERSION"] = patch
    env["CM_PYTHON_SITE_PACKAGES"] = os.pathsep.join(facts["path"])
    env["CM_PYTHON_IS_VENV"] = "yes" if facts["venv"] else "no"
    # `virtual` means "made by install-python-venv" in CM, and is told by the caller
    extra = [tag for tag in str(env.get("CM_EXTRA_CACHE_TAGS") or "").split(",") if tag]
    tags = ",".join([f"version-{version}", *extra, *([] if "virtual" in extra else ["non-virtual"])])
    env["CM_PYTHON_CACHE_TAGS"] = tags
    return {"return": 0, "version": version, "add_extra_cache_tags": tags.split(",")}


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
