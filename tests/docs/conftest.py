"""The surroundings of somebody who follows the documentation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reader(tmp_path: Path) -> dict[str, str]:
    """Environment variables: `cm` and `cmr` on the PATH, and a CM home in which cm4bench is registered."""
    (tmp_path / "bin").mkdir()
    for name, function in {"cm": "run", "cmr": "run_script"}.items():
        command = tmp_path / "bin" / name
        code = f"from cmind.cli import {function}; {function}()"
        command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
        command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CM_REPOS": str(tmp_path / "CM"), "HOME": str(tmp_path)}
    subprocess.run(["cm", "add", "repo", f"--path={ROOT}"], env=environment, check=True, capture_output=True)
    return environment
