"""The tutorial on training tasks, followed word for word: two trainings through the real cmr."""

import importlib.util
import re
from pathlib import Path

import pytest

from .conftest import ROOT
from .walkthrough import File, steps, walk

PAGE = ROOT / "docs" / "add-a-training-task.md"
NEEDED = ("torch", "sklearn", "mlperf_logging")


@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
@pytest.mark.timeout(900)
def test_the_tutorial_works_as_written(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    assert walk(PAGE, tmp_path / "reader", reader | {"OMP_NUM_THREADS": "1"}) == 7


def test_one_folder_of_sixty_lines_is_enough():
    files = [step for step in steps(PAGE.read_text()) if isinstance(step, File)]
    task = [step for step in files if step.name.startswith("my-trainings/script/get-training-task-wine/")]
    assert {step.name for step in files} - {step.name for step in task} == {"my-trainings/cmr.yaml"}
    assert 0 < len(re.findall(r"^.*\S.*$", "\n".join(step.text for step in task), re.MULTILINE)) <= 60
