"""The folder in which a step's code runs: entering it, and clearing away what is only of use while it runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .frame import Frame

__all__ = ["clear_leftovers", "inside", "map_env_keys", "work_folder"]

_PROTOCOL_FILES = ("tmp-run-env.out", "tmp-ver.out", "tmp-state.json", "tmp-run-state.json", "tmp-run.sh")


def work_folder(frame: Frame, folder: Path) -> Path:
    """Where the step's code runs: `folder`, or the one that CM_OUTDIRNAME names."""
    outdir = frame.env.text("CM_OUTDIRNAME")
    return Path(os.path.expandvars(outdir)).expanduser().absolute() if outdir else folder


@contextlib.contextmanager
def inside(folder: Path, frame: Frame) -> Iterator[None]:
    """CM scripts expect to be in their folder; the previous one comes back whatever happens."""
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    repo = frame.script.repo
    frame.env.setdefault("CM_TMP_CURRENT_PATH", str(before))
    frame.env.set("CM_TMP_CURRENT_SCRIPT_PATH", str(frame.script.path))
    frame.env.set("CM_TMP_CURRENT_SCRIPT_WORK_PATH", str(folder))
    frame.env.set("CM_TMP_CURRENT_SCRIPT_REPO_PATH", str(repo.path))
    frame.env.set("CM_TMP_CURRENT_SCRIPT_REPO_PATH_WITH_PREFIX", str(repo.path / repo.prefix))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def clear_leftovers(frame: Frame, folder: Path, *, outputs: bool) -> None:
    """Remove the script's `clean_files` and the files of CM's native protocol; its `clean_output_files` if asked."""
    names = [*(frame.meta.get("clean_files") or ()), *_PROTOCOL_FILES]
    names += frame.meta.get("clean_output_files") or () if outputs else ()
    _remove(folder, (str(name) for name in names))


def _remove(folder: Path, names: Iterable[str]) -> None:
    here = folder.resolve()
    for name in names:
        path = folder / name
        # a manifest may only name files below the folder
        # and one that the system cannot even look up is not there
        with contextlib.suppress(OSError, ValueError):
            if here in path.resolve().parents and (path.is_file() or path.is_symlink()):
                path.unlink()


def map_env_keys(frame: Frame) -> None:
    """`env_key_mappings: {OLD_: NEW_}`: a copy of each key with the other prefix, for the native script."""
    for old, new in (frame.meta.get("env_key_mappings") or {}).items():
        for key in [k for k in frame.env if k.startswith(old)]:
            frame.env.set(key.replace(old, str(new)), frame.env[key])
