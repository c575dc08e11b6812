"""A real small study, packed and reproduced as the page tells it."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import walk

NEEDED = ("mlperf_loadgen", "torch", "efficientnet_lite_pytorch", "rocrate", "spdx_tools")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
@pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset")
def test_a_study_is_packed_and_reproduced(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    where = tmp_path / "bin" / "cm4bench_root"  # where the reader's clone is
    where.write_text(f"#!/bin/sh\necho '{ROOT}'\n")
    where.chmod(0o755)
    steps = walk(ROOT / "docs" / "reproduce.md", tmp_path / "reader", {**os.environ, **reader, "OMP_NUM_THREADS": "1"})
    assert steps == 3
    report = (tmp_path / "reader" / "here" / "reproduction.md").read_text()
    assert "The results were reproduced on this host." in report
