"""From five real trainings to a tarball, as the page tells it."""

import importlib.util
import os
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk

NEEDED = ("mlperf_logging", "torch", "sklearn")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
def test_from_trainings_to_a_tarball(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    page = ROOT / "docs" / "training-submission.md"
    assert walk(page, tmp_path / "reader", {**os.environ, **reader, "OMP_NUM_THREADS": "1"}) > 8
