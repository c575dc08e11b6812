"""The small default reaches its target: made from the package by the scripts themselves, trained as a user would."""

import pytest

from cm4bench.errors import CMBenchError
from trainer import supervise
from trainer.config import TrainConfig
from trainer.result import RESULT, TrainResult

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_it_reaches_its_target(ours, tmp_path):
    try:
        env = ours.run("get,mlperf,training,task,_unet3d").outcome.new_env
    except CMBenchError as error:
        pytest.skip(f"needs a package index: {error.cause}")
    config = TrainConfig(
        task=env["CM_MLPERF_TRAINING_TASK"],
        task_path=(env["CM_MLPERF_TRAINING_TASK_PATH"],),
        benchmark="unet3d",
        data=env["CM_MLPERF_TRAINING_DATA"],
        tier=env["CM_MLPERF_DATA_TIER"],
        output_dir=str(tmp_path / "out"),
        threads=1,
    )
    supervise.run(config)
    result = TrainResult.read(tmp_path / "out" / "run_0" / RESULT)
    assert result.reached, result.quality
