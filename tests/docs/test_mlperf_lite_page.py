"""The page about MLPerf-Lite is run word for word."""

import os
import re
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk

PAGE = ROOT / "docs" / "mlperf-lite.md"


@pytest.mark.slow
def test_page(tmp_path: Path, reader: dict[str, str]):
    pytest.importorskip("duckdb")
    (tmp_path / "reader").mkdir()
    assert walk(PAGE, tmp_path / "reader", {**os.environ, **reader}) >= 11


def test_every_template_on_the_page_is_there():
    named = set(re.findall(r"--template=(\w+)", PAGE.read_text())) | set(re.findall(r"`(\w+_\w+)`,", PAGE.read_text()))
    there = {path.stem for path in (ROOT / "script" / "run-mlperf-lite" / "mlperf_lite" / "templates").glob("*.yaml")}
    assert there <= named | {"own_dataset"}
    assert set(re.findall(r"--template=(\w+)", PAGE.read_text())) <= there
