"""The page about results is run word for word, where the libraries that it needs are installed."""

import os
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk


def test_page(tmp_path: Path, reader: dict[str, str]):
    pytest.importorskip("duckdb")
    pytest.importorskip("fsspec")
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / "results.md", tmp_path / "reader", {**os.environ, **reader}) > 8
