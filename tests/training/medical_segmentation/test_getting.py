"""The scripts that get the data: KiTS19 at hand must be complete, also for training."""

import pytest

from cm4bench.errors import CMBenchError

from .conftest import write_case


@pytest.mark.parametrize(("part", "files"), [("training", 420), ("inference", 84)])
def test_kits19_must_be_complete(ours, tmp_path, part, files):
    write_case(tmp_path / "data", 0)
    with pytest.raises(CMBenchError, match=f"lacks {files - 2} of {files} files"):
        ours.run(f"get,dataset,kits19,original,_{part}", options={"kits19_path": str(tmp_path / "data")})
