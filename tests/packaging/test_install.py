"""Users who have cmind already: `pip install .` and `cm add repo --path=.` must be all there is to do."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import User


def register_and_detect_os(user: User, clone: Path) -> None:
    user.run("cm", "add", "repo", f"--path={clone}")
    assert json.loads((user.folder / "CM" / "repos.json").read_text()) == [str(clone)]
    done = user.run("cmr", "detect os", "--save_to_json=result.json")
    result = json.loads((user.folder / "result.json").read_text())
    assert result["new_env"]["CM_HOST_OS_TYPE"] == os.uname().sysname.lower(), done.stdout


def write_cmind_commands(user: User) -> None:
    for name, function in {"cm": "run", "cmr": "run_script"}.items():
        command = user.bin / name
        command.write_text(f"#!{user.bin}/python\nfrom cmind.cli import {function}\n{function}()\n")
        command.chmod(0o755)


def test_registered_repository_serves_cmr(user: User, clone: Path, wheel: Path):
    user.install_wheel(wheel)
    write_cmind_commands(user)
    register_and_detect_os(user, clone)


def test_the_repository_alone_is_enough_for_the_engine(user: User, clone: Path, wheel: Path):
    user.install_wheel(wheel)
    write_cmind_commands(user)
    subprocess.run(
        [user.bin / "python", "-c", "import cm4bench, shutil; shutil.rmtree(cm4bench.__path__[0])"], check=True
    )
    register_and_detect_os(user, clone)


@pytest.mark.slow
def test_pip_install_from_the_package_index(user: User, clone: Path):
    user.run("python", "-m", "ensurepip")
    user.run("python", "-m", "pip", "install", "--quiet", clone, "-c", clone / "constraints.txt")
    register_and_detect_os(user, clone)
