"""The `mlc` module that MLCFlow's scripts import, made of cmind's helpers; MLCFlow itself need not be installed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .dialect import MLC, to_cm

__all__ = ["ActionObject", "access", "make_importable"]


def make_importable(folder: Path) -> None:
    """Let `import mlc`, `from mlc import utils` and `from utils import …` (a file in `folder`) work."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    if "mlc" not in sys.modules:
        package = ModuleType("mlc", "MLCFlow's interface, served by cm4bench")
        helpers = _helpers()
        # attributes by name, not by type: these modules have no source of their own
        package.__dict__.update(
            utils=helpers, access=access, logger=logging.getLogger("mlc"), action=ActionObject(), __path__=[]
        )
        sys.modules.update({"mlc": package, "mlc.utils": helpers})


class ActionObject:
    """What MLCFlow's scripts reach by `i['automation'].action_object` and `mlc.action`."""

    def __init__(self, repos_path: str = "") -> None:
        self.repos_path = repos_path
        self.logger = logging.getLogger("mlc")

    @staticmethod
    def access(i: Mapping[str, Any]) -> dict[str, Any]:
        return access(i)


def access(i: Mapping[str, Any]) -> dict[str, Any]:
    """Call an action of a `target` (MLCFlow's word for CM's `automation`) and answer in MLC's names."""
    import cmind

    asked = dict(i)
    asked["automation"] = asked.pop("target", None) or asked.get("automation", "script")
    answer: dict[str, Any] = cmind.access(to_cm(asked))
    return MLC.outward(answer)


def _helpers() -> ModuleType:
    import cmind.utils

    helpers = ModuleType("mlc.utils", "helpers for files, versions and dictionaries")
    helpers.__dict__.update({name: value for name, value in vars(cmind.utils).items() if not name.startswith("__")})
    helpers.__dict__.update(
        run_system_cmd=_run_system_cmd,
        generate_temp_file=cmind.utils.gen_tmp_file,
        get_new_uid=cmind.utils.gen_uid,
        check_if_true_yes_on=lambda env, key: str(env.get(key, "")).lower() in ("yes", "on", "true", "1"),
        load_txt=_load_txt,
        load_json=cmind.utils.load_json,
        logger=logging.getLogger("mlc"),
    )
    return helpers


def _load_txt(file_name: str, *more: Any, **options: Any) -> dict[str, Any]:
    import cmind.utils

    return cmind.utils.load_txt(file_name, *more, **options)  # type: ignore[no-any-return]


def _run_system_cmd(i: Mapping[str, Any]) -> dict[str, Any]:
    """Run a shell command line in `path`; its status in `rc`, its standard output in `output`."""
    import subprocess

    done = subprocess.run(
        str(i["cmd"]), shell=True, cwd=i.get("path") or None, text=True, capture_output=bool(i.get("capture_output"))
    )
    return {"return": 0 if done.returncode == 0 else 1, "rc": done.returncode, "output": done.stdout or ""}
