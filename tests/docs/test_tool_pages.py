"""The pages about plan, lock, lint, doctor and completion are run word for word."""

import os
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk


@pytest.mark.parametrize("page", ["explain-a-plan", "lock-and-replay", "lint-scripts", "doctor", "completion"])
def test_page(page: str, tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    where = tmp_path / "bin" / "cm4bench_root"  # where the reader's clone is
    where.write_text(f"#!/bin/sh\necho '{ROOT}'\n")
    where.chmod(0o755)
    assert walk(ROOT / "docs" / f"{page}.md", tmp_path / "reader", {**os.environ, **reader}) > 1
