"""The page about containers and capsules: what needs no container engine is run word for word."""

from pathlib import Path

from .conftest import ROOT
from .walkthrough import walk


def test_page(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / "containers.md", tmp_path / "reader", reader) > 5
