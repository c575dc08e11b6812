"""A results folder with three records, and its database."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "results"))  # samples.py

if importlib.util.find_spec("duckdb") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    from .made import save

    for scenario in ("offline", "server", "singlestream"):
        save(tmp_path / "results", f"20260131-093005-net-4f1a/{scenario}")
    return tmp_path / "results"
