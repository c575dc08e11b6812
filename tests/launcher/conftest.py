"""Copies of the launcher with a tiny repository around it: real venv, real pip, real cmind, but no downloads.

The wheel that pip installs there is a stand-in; its .pth file leads to the cmind beside the pytest that runs.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["sh", "cksum", "readlink", "dirname", "id", "cat"]
ECHO_AUTOMATION = """
import json, os
from cmind.automation import Automation

class CAutomation(Automation):
    def __init__(self, cmind, automation_file):
        super().__init__(cmind, __file__)

    def run(self, i):
        told = {"cmd": i.get("cmd"), "module": __file__, "CM_REPOS": os.environ["CM_REPOS"], "cwd": os.getcwd()}
        print(json.dumps(told))
        return {"return": int(i.get("code", 0)), "error": "asked for"}

    def plan(self, i):
        print(json.dumps({"planned": True}))
        return {"return": 0}
"""


@dataclass(frozen=True)
class Clone:
    """A repository with a launcher, and the surroundings in which it is started."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.path / ".cm4bench"

    def command(self, *arguments: str, launcher: str | Path = "cmr") -> list[str]:
        return [str(self.path / launcher), *arguments]

    def run(self, *arguments: str, launcher: str | Path = "cmr", cwd: Path | None = None, **variables: str):
        return subprocess.run(
            self.command(*arguments, launcher=launcher),
            cwd=cwd or self.path,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def echoed(done: subprocess.CompletedProcess[str]) -> dict:
    """What the stand-in automation printed."""
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def write_repository(path: Path, uid: str, alias: str) -> None:
    automation = path / "automation" / "script"
    automation.mkdir(parents=True)
    (path / "cmr.yaml").write_text(f'alias: {alias}\nuid: "{uid}"\n')
    (automation / "_cm.yaml").write_text(
        'alias: script\nuid: "5b4e0237da074764"\nautomation_alias: automation\nautomation_uid: bbeb15d8f0a944a4\n'
    )
    (automation / "module.py").write_text(ECHO_AUTOMATION)


def write_wheel(folder: Path, name: str = "standin", version: str = "1.0") -> None:
    """A wheel that makes the cmind of this very environment importable, with cmind's two commands."""
    import cmind
    import yaml

    paths = sorted({str(Path(module.__file__).parents[1]) for module in (cmind, yaml)})
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.pth": "\n".join(paths) + "\n",
        f"{name}_marker.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ncm = cmind.cli:run\ncmr = cmind.cli:run_script\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)


def make_clone(folder: Path) -> Clone:
    """A clone that was never started, below a path that has a space and an umlaut."""
    path = folder / "a clöne"
    write_repository(path, uid="c4be0c1d2f7a4e63", alias="cm4bench")
    shutil.copy(ROOT / "cmr", path)
    shutil.copy(ROOT / "cm", path, follow_symlinks=False)
    shutil.copytree(ROOT / "launcher", path / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    (path / "requirements.txt").write_text("standin\n")
    (path / "constraints.txt").write_text("standin==1.0\n")
    write_wheel(folder / "wheels")
    tools = folder / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tools / tool).symlink_to(found)
    (tools / "python3").symlink_to(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    (folder / "user").mkdir()
    return Clone(
        path,
        {
            "PATH": str(tools),
            "HOME": str(folder / "user"),
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": (folder / "wheels").as_uri(),
            "PIP_NO_CACHE_DIR": "1",
            # Many users have this set; it must not break the private environment.
            "PIP_USER": "1",
        },
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Clone:
    """A clone that was never started."""
    return make_clone(tmp_path)


@pytest.fixture(scope="session")
def first_start(tmp_path_factory) -> tuple[Clone, subprocess.CompletedProcess[str]]:
    """A clone and what its first start printed. Shared: do not change it."""
    clone = make_clone(tmp_path_factory.mktemp("launcher"))
    return clone, clone.run("hello world")


@pytest.fixture
def ready(first_start) -> Clone:
    """A clone whose environment is made. Shared: do not change it."""
    clone, done = first_start
    assert done.returncode == 0, done.stderr
    return clone


@pytest.fixture
def own(ready: Clone, tmp_path: Path) -> Clone:
    """A copy of a ready clone, to be changed at will."""
    path = tmp_path / "an öwn copy"
    shutil.copytree(ready.path, path, symlinks=True)
    clone = Clone(path, ready.environment)
    assert clone.run("settle").returncode == 0
    return clone
