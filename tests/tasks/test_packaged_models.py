"""Packaged models on packaged data, fetched and prepared by the scripts as for a run; needs minutes and an index."""

import numpy as np
import pytest
from tests.workbench import ROOT, Bench

from cm4bench import Repo
from cm4bench.errors import CMBenchError
from harness import registry
from harness.config import ModelConfig, RunConfig

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Runs a task script; gives the harness's task and the network that it names."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("CM_REPOS", str(tmp_path / "CM"))
    bench = Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))

    def run(tags):
        try:
            env = bench.run(f"get,mlperf,inference,task,{tags}").outcome.new_env
        except CMBenchError as error:
            if "connection" in error.cause:
                pytest.skip(error.cause)
            raise
        weights = env["CM_ML_MODEL_FILE_WITH_PATH"]
        model = ModelConfig(name="m", architecture=env["CM_ML_MODEL_ARCHITECTURE"], weights=weights)
        place = {"dataset": env["CM_MLPERF_TASK_DATA"], "output_dir": str(tmp_path / "run")}
        target = float(env["CM_MLPERF_QUALITY_TARGET"])
        config = RunConfig(model=model, scenario="Offline", tier="embedded", quality_target=target, **place)
        registry.add_paths(env["CM_MLPERF_TASK_PATH"].split(":"))
        torch.set_num_threads(1)
        network = registry.resolve("architecture", model.architecture)(model).eval()
        return registry.resolve("task", env["CM_MLPERF_TASK"])(config), network

    return run


def score(task, network, batch, write):
    """Answer all samples in the order of their lengths, and let the task judge the log."""
    order = list(range(task.count))
    lengths = task.lengths(order)
    if lengths is not None:
        order.sort(key=lengths.__getitem__)
    answers = {}
    for begin in range(0, task.count, batch):
        chosen = order[begin : begin + batch]
        columns = task.load(chosen)
        if lengths is not None:
            columns = [column[:, : max(lengths[k] for k in chosen)] for column in columns]
        joined = [np.concatenate(column) if isinstance(column, list) else column for column in columns]
        with torch.inference_mode():
            output = network(*(torch.from_numpy(np.ascontiguousarray(column)) for column in joined)).numpy()
        answers |= dict(zip(chosen, task.encode((output,), chosen), strict=True))
    return task.quality(write(answers))


@pytest.fixture
def write(tmp_path):
    def log(answers):
        import json

        lines = [
            {"seq_id": k, "qsl_idx": k, "data": np.float32(row).tobytes().hex().upper()} for k, row in answers.items()
        ]
        (tmp_path / "mlperf_log_accuracy.json").write_text(json.dumps(lines))
        return tmp_path

    return log


def test_minilm_finds_113_of_150_answers(prepared, write):
    pytest.importorskip("transformers")
    quality = score(*prepared("question-answering,_minilm"), 8, write)
    assert (quality.correct, quality.total, quality.passed) == (113, 150, True)


def test_dlrm_on_movielens_is_trained_and_ranks(prepared, write):
    pytest.importorskip("sklearn")
    quality = score(*prepared("recommendation,_dlrm-movielens"), 4, write)
    assert quality.total == 20000
    assert quality.value == pytest.approx(78.2, abs=0.3)
    assert quality.passed
