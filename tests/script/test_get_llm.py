"""Language models and data sets that must be given: found, checked, or told how to give them."""

import json
import struct

import pytest

from cm4bench.errors import CMBenchError

MODELS = {
    "gptj-99": "gptj",
    "llama2-70b-99.9": "llama2-70b",
    "llama2-70b-interactive-99": "llama2-70b",
    "llama3.1-8b": "llama3.1-8b",
    "llama3.1-8b-edge": "llama3.1-8b",
    "llama3.1-405b": "llama3.1-405b",
    "mixtral-8x7b": "mixtral-8x7b",
    "deepseek-r1": "deepseek-r1",
    "gpt-oss-120b": "gpt-oss-120b",
}


def safetensors(path, size=16, kept=None):
    """One tensor of `size` bytes, of which `kept` are there."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(size if kept is None else kept))


@pytest.fixture
def checkpoint(tmp_path):
    """A folder that looks like a Llama in two files."""
    folder = tmp_path / "llama"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for number in (1, 2):
        safetensors(folder / f"model-{number}.safetensors")
    return folder


def get(ours, folder, model="llama3.1-8b"):
    return ours.run(f"get,ml-model,llm,_{model}", options={"model_path": str(folder)}).outcome.new_env


def test_a_whole_checkpoint_is_used_where_it_is(ours, checkpoint):
    assert get(ours, checkpoint)["CM_ML_MODEL_FILE_WITH_PATH"] == str(checkpoint)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "config.json").unlink(), "has no readable config.json"),
        (lambda p: (p / "config.json").write_text("{"), "damaged"),
        (lambda p: (p / "config.json").write_text('{"model_type": "bert"}'), "another kind of model: bert, not llama"),
        (lambda p: (p / "model-2.safetensors").unlink(), "lacks 1 of its 2 files of weights"),
        (lambda p: safetensors(p / "model-1.safetensors", kept=3), "has a truncated file: model-1.safetensors"),
        (lambda p: (p / "model-1.safetensors").write_bytes(b"12"), "has a truncated file: model-1.safetensors"),
    ],
)
def test_a_checkpoint_that_is_not_whole(ours, checkpoint, spoil, message):
    spoil(checkpoint)
    with pytest.raises(CMBenchError, match=message) as caught:
        get(ours, checkpoint)
    assert "--model_path=FOLDER" in caught.value.hint


def test_weights_that_were_not_given(ours):
    with pytest.raises(CMBenchError, match=r"official weights of llama3\.1-8b are not here") as caught:
        ours.run("get,ml-model,llm,_llama3.1-8b")
    assert "--hf_download to fetch meta-llama/Llama-3.1-8B-Instruct" in caught.value.hint


def test_random_weights_need_nothing(ours):
    env = ours.run("get,ml-model,llm,_deepseek-r1,_synthetic").outcome.new_env
    assert env["CM_ML_MODEL_DATA_TIER"] == "synthetic"
    assert not env.get("CM_ML_MODEL_FILE_WITH_PATH")


def test_a_data_set_is_used_where_it_is(ours, tmp_path):
    (tmp_path / "orca.pkl").write_bytes(b"x")
    env = ours.run("get,dataset,llm,_openorca", options={"dataset_path": str(tmp_path / "orca.pkl")}).outcome.new_env
    assert env["CM_DATASET_LLM_PATH"] == str(tmp_path / "orca.pkl")


def test_a_data_set_that_was_not_given(ours):
    with pytest.raises(CMBenchError, match="official data set OPENORCA is not here") as caught:
        ours.run("get,dataset,llm,_openorca")
    assert "--dataset_path=FILE" in caught.value.hint


def test_mixtrals_data_set_is_known_by_its_checksum(ours, tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"x")
    with pytest.raises(CMBenchError, match="78823c13e0e73e518872105c4b09628b"):
        ours.run("get,dataset,llm,_mixtral", options={"dataset_path": str(tmp_path / "m.pkl")})


@pytest.mark.parametrize(("name", "model"), MODELS.items())
@pytest.mark.parametrize("tier", ["full", "embedded", "synthetic"])
def test_each_benchmark_plans_its_own_model_and_data(ours, name, model, tier):
    plan = ours.plan(f"get,mlperf,inference,task,_{name},_{tier}")
    steps = {step.script.alias: step.variations for step in plan.steps()}
    if tier == "full":
        assert model in steps["get-ml-model-llm"]
        assert "get-dataset-llm" in steps
    else:
        assert ("get-ml-model-smollm2" in steps) is (tier == "embedded")
        assert "get-dataset-llm" not in steps
