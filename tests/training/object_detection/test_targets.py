"""The small defaults reach their targets: made from the packages by the scripts themselves, trained as a user would."""

import pytest

from cm4bench.errors import CMBenchError
from trainer import supervise
from trainer.config import TrainConfig
from trainer.result import RESULT, TrainResult

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("model", ["maskrcnn", "ssd"])
def test_it_reaches_its_target(ours, tmp_path, model):
    try:
        env = ours.run(f"get,mlperf,training,task,_{model}").outcome.new_env
    except CMBenchError as error:
        pytest.skip(f"needs package indexes: {error.cause}")
    config = TrainConfig(
        task=env["CM_MLPERF_TRAINING_TASK"],
        task_path=(env["CM_MLPERF_TRAINING_TASK_PATH"],),
        benchmark=model,
        data=env["CM_MLPERF_TRAINING_DATA"],
        options={"torchvision": env["CM_MLPERF_TRAINING_OPTION_TORCHVISION"]},
        tier=env["CM_MLPERF_DATA_TIER"],
        output_dir=str(tmp_path / "out"),
        threads=1,
    )
    supervise.run(config)
    result = TrainResult.read(tmp_path / "out" / "run_0" / RESULT)
    assert result.reached, result.quality
