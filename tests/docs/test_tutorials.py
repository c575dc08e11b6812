"""The tutorials on backends and models, followed word for word."""

import importlib.util
import re
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import File, steps, walk

NEEDED = ("mlperf_loadgen", "torch", "transformers")
pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)
PAGES = ["add-an-implementation.md", "add-a-model.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_tutorial_works_as_written(tmp_path: Path, reader: dict[str, str], page: str):
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / page, tmp_path / "reader", reader | {"OMP_NUM_THREADS": "1"}) > 3


@pytest.mark.parametrize("page", PAGES)
def test_thirty_lines_of_python_are_enough(page: str):
    files = [step for step in steps((ROOT / "docs" / page).read_text()) if isinstance(step, File)]
    code = "\n".join(step.text for step in files if step.name.endswith(".py"))
    assert 0 < len(re.findall(r"^.*\S.*$", code, re.MULTILINE)) <= 30
