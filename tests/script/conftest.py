"""Our own scripts under test: their customize.py as modules, and an engine over this repository."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.workbench import ROOT, Bench

from cm4bench import Repo


def load_file(path: Path) -> ModuleType:
    """A script directory's Python file as a module of its own name."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}".replace("-", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def script_file() -> Callable[..., ModuleType]:
    """`script_file("get-cuda")` loads customize.py, `script_file("x", "y.py")` another file."""
    return lambda name, file="customize.py": load_file(ROOT / "script" / name / file)


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An engine factory over this repository, with a private CM home, in an empty folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("CM_REPOS", str(tmp_path / "CM"))
    return Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))


@pytest.fixture(scope="session")
def packaged() -> None:
    """Skips where no package index can be reached: the packaged model and images come from one."""
    from cm4bench.errors import CMBenchError
    from cm4bench.fetch.artifact import PipSettings, PyPIArtifact, locate

    sha256 = "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb"
    try:
        locate(PyPIArtifact("foolbox", "3.3.4", sha256), PipSettings.of())
    except CMBenchError as error:
        pytest.skip(f"needs a package index: {error.cause}")
