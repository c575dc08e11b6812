"""The page about experiments: its plans and refusals are typed as they stand."""

from pathlib import Path

from .conftest import ROOT
from .walkthrough import walk


def test_page(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / "experiments.md", tmp_path / "reader", reader) > 3
