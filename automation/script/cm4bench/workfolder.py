"""The folder in which a step's code runs: entering it, and clearing away what is only of use while it runs."""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH100, PTH103, PTH108, PTH109, PTH111, PTH113, PTH114, PTH118
from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from .frame import Frame

__all__ = ["clear_leftovers", "inside", "map_env_keys", "work_folder"]

_PROTOCOL_FILES = ("tmp-run-env.out", "tmp-ver.out", "tmp-state.json", "tmp-run-state.json", "tmp-run.sh")


def work_folder(frame: Frame, folder: str) -> str:
    """Where the step's code runs: `folder`, or the one that CM_OUTDIRNAME names."""
    outdir = frame.env.text("CM_OUTDIRNAME")
    return os.path.abspath(os.path.expanduser(os.path.expandvars(outdir))) if outdir else folder


@contextlib.contextmanager
def inside(folder: str, frame: Frame) -> Iterator[None]:
    """CM scripts expect to be in their folder; the previous one comes back whatever happens."""
    before = os.getcwd()
    os.makedirs(folder, exist_ok=True)
    repo = frame.script.repo
    frame.env.setdefault("CM_TMP_CURRENT_PATH", before)
    frame.env.set("CM_TMP_CURRENT_SCRIPT_PATH", frame.script.folder)
    frame.env.set("CM_TMP_CURRENT_SCRIPT_WORK_PATH", folder)
    frame.env.set("CM_TMP_CURRENT_SCRIPT_REPO_PATH", repo.folder)
    frame.env.set("CM_TMP_CURRENT_SCRIPT_REPO_PATH_WITH_PREFIX", f"{repo.folder}/{repo.prefix}".rstrip("/"))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def clear_leftovers(frame: Frame, folder: str, *, outputs: bool) -> None:
    """Remove the script's `clean_files` and the files of CM's native protocol; its `clean_output_files` if asked."""
    names = [*(frame.setting("clean_files") or ()), *(_PROTOCOL_FILES if frame.recipe.has_code else ())]
    names += frame.setting("clean_output_files") or () if outputs else ()
    _remove(folder, (str(name) for name in names))


def _remove(folder: str, names: Iterable[str]) -> None:
    for name in names:
        path = os.path.join(folder, name)
        # one that the system cannot even look up is not there
        with contextlib.suppress(OSError, ValueError):
            if (os.path.islink(path) or os.path.isfile(path)) and _is_below(folder, path):
                os.unlink(path)


def _is_below(folder: str, path: str) -> bool:
    """A manifest may only name files below the folder, whatever links lead there."""
    root = os.path.realpath(folder)
    return os.path.realpath(path).startswith(f"{root.rstrip('/')}/")


def map_env_keys(frame: Frame) -> None:
    """`env_key_mappings: {OLD_: NEW_}`: a copy of each key with the other prefix, for the native script."""
    for old, new in (frame.setting("env_key_mappings") or {}).items():
        for key in [k for k in frame.env if k.startswith(old)]:
            frame.env.set(key.replace(old, str(new)), frame.env[key])
