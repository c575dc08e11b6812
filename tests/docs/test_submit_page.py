"""The way to a tarball, walked as the page tells it: real data from packages, a real model, real loadgen."""

import importlib.util
import os
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk

NEEDED = ("mlperf_loadgen", "torch", "efficientnet_lite_pytorch")


@pytest.mark.slow
@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
def test_from_nothing_to_a_tarball(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    steps = walk(ROOT / "docs" / "submit.md", tmp_path / "reader", {**os.environ, **reader, "OMP_NUM_THREADS": "1"})
    assert steps > 5
