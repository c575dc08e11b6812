"""A copy of the repository as a user would have it, and the wheel made from it."""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_PRODUCT = shutil.ignore_patterns(
    ".git", ".cm4bench", "build", "site", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "results", "tmp-*"
)


@dataclass(frozen=True)
class User:
    """Somebody with a virtual environment and a CM home."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "venv" / "bin"

    def run(self, command: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HOME": str(self.folder), "CM_REPOS": str(self.folder / "CM")}
        environment["PATH"] = f"{self.bin}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(
            [self.bin / command, *arguments], cwd=cwd or self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def install_wheel(self, wheel: Path) -> None:
        """Install without pip and network; the dependencies come from the environment that runs the tests."""
        import yaml

        import packaging

        site = next((self.folder / "venv" / "lib").glob("python*/site-packages"))
        target = ["--python", self.bin / "python", "install", "--no-deps", "--no-index", "--quiet", wheel]
        subprocess.run([sys.executable, "-m", "pip", *target], check=True)
        paths = {str(Path(module.__file__).parents[1]) for module in (packaging, yaml)}
        (site / "dependencies.pth").write_text("\n".join(sorted(paths)) + "\n")


@pytest.fixture
def user(tmp_path: Path) -> User:
    (tmp_path / "user").mkdir()
    venv.create(tmp_path / "user" / "venv", with_pip=False)
    return User(tmp_path / "user")


@pytest.fixture(scope="session")
def clone(tmp_path_factory) -> Path:
    """The repository without what the working copy collected."""
    folder = tmp_path_factory.mktemp("packaging") / "clone"
    shutil.copytree(ROOT, folder, ignore=NOT_PRODUCT, symlinks=True)
    return folder


@pytest.fixture(scope="session")
def wheel(clone: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, clone]
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *build], check=True)
    (found,) = folder.glob("*.whl")
    return found
