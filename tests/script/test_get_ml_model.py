"""get-ml-model-resnet50 and -efficientnet-lite; the packaged model on the packaged images."""

import json
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError


def test_synthetic_resnet50_has_no_file(ours):
    env = ours.run("get,ml-model,resnet50,_synthetic,_pytorch").outcome.new_env
    assert env["CM_ML_MODEL_ARCHITECTURE"] == "image_classification.resnet50:build"
    assert (env["CM_ML_MODEL_DATA_TIER"], env["CM_ML_MODEL_SEED"]) == ("synthetic", "0")
    assert not env.get("CM_ML_MODEL_FILE_WITH_PATH")


def test_seed_is_part_of_the_entry(ours):
    first = ours.run("get,ml-model,resnet50,_synthetic")
    second = ours.run("get,ml-model,resnet50,_synthetic", options={"seed": "7"})
    assert (first.outcome.new_env["CM_ML_MODEL_SEED"], second.outcome.new_env["CM_ML_MODEL_SEED"]) == ("0", "7")
    with pytest.raises(CMBenchError):
        ours.run("get,ml-model,resnet50,_synthetic", options={"seed": "-1"})


def test_only_the_official_weights_are_full(ours, tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"other weights")
    with pytest.raises(CMBenchError, match="checksum mismatch") as caught:
        ours.run("get,ml-model,resnet50", options={"model_path": str(tmp_path / "mine.pth")})
    assert "9e9c86b324d80e65229fab49b8d9a8e8" in caught.value.cause
    with pytest.raises(CMBenchError, match="no such file"):
        ours.run("get,ml-model,resnet50", options={"model_path": str(tmp_path / "none.pth")})


def test_plan_tells_the_size(ours):
    plan = ours.plan("get,ml-model,resnet50")
    assert [source.size for step in plan.steps() for source in step.sources] == [102502400]
    assert [s.size for step in ours.plan("get,ml-model,resnet50,_synthetic").steps() for s in step.sources] == []


def test_packaged_model_on_packaged_images(ours, packaged):
    """EfficientNet-Lite0 names 18 of the 20 images; with another preprocessing it would not."""
    torch = pytest.importorskip("torch")
    efficientnet = pytest.importorskip("efficientnet_lite_pytorch")
    import numpy as np

    model = ours.run("get,ml-model,efficientnet-lite").outcome.new_env
    data = ours.run("get,dataset,imagenet,preprocessed,_efficientnet-lite").outcome.new_env
    assert (model["CM_ML_MODEL_DATA_TIER"], data["CM_DATASET_TIER"]) == ("embedded", "embedded")
    folder = Path(data["CM_DATASET_PREPROCESSED_PATH"])
    info = json.loads((folder / "dataset.json").read_text())
    network = efficientnet.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(model["CM_ML_MODEL_FILE_WITH_PATH"], weights_only=True))
    pixels = (np.load(folder / "samples.npy").astype(np.float32) - np.float32(info["mean"])) / np.float32(info["std"])
    torch.set_num_threads(1)
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))))
    assert int((logits.argmax(1).numpy() == np.load(folder / "labels.npy")).sum()) == 18
    assert ours.run("get,ml-model,efficientnet-lite").made == ()
