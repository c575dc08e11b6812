"""A model of the user's own: recognised by its form, refused where the backend cannot run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def own(script_file: Any) -> Any:
    return script_file("get-ml-model-own")


def given(path: Path, **more: str) -> dict[str, Any]:
    return {
        "env": {
            "CM_ML_MODEL_OWN_NAME": "mine",
            "CM_MLPERF_MODEL_LIKE": "resnet50",
            "CM_ML_MODEL_PATH": str(path),
            "CM_MLPERF_TASK_OWN_MODEL": "images.own:build",
            **more,
        }
    }


@pytest.mark.parametrize(
    ("name", "backend", "form", "architecture"),
    [
        ("net.onnx", "onnxruntime", "onnx", "none"),
        ("net.onnx", "openvino", "onnx", "none"),
        ("net.xml", "openvino", "openvino", "none"),
        ("net.tflite", "tflite", "tflite", "none"),
        ("folder", "pytorch", "transformers", "images.own:build"),
    ],
)
def test_forms(own: Any, tmp_path: Path, name: str, backend: str, form: str, architecture: str) -> None:
    path = tmp_path / name
    if "." in name:
        path.touch()
    else:
        path.mkdir()
        (path / "config.json").touch()
    i = given(path, CM_MLPERF_BACKEND=backend)
    assert own.preprocess(i) == {"return": 0}
    env = i["env"]
    assert (env["CM_MODEL"], env["CM_ML_MODEL_FORMAT"], env["CM_ML_MODEL_ARCHITECTURE"]) == ("mine", form, architecture)
    assert env["CM_ML_MODEL_FILE_WITH_PATH"] == str(path)
    assert env["CM_MLPERF_BENCHMARK_NAME"] == "own"


def test_a_network_of_timm_is_named_by_the_model(own: Any, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").touch()
    i = given(tmp_path / "weights.pth", CM_ML_MODEL_OWN_NAME="timm/resnet18")
    assert own.preprocess(i) == {"return": 0}
    assert i["env"]["CM_ML_MODEL_FORMAT"] == "timm"


@pytest.mark.parametrize(
    ("changes", "words", "next_step"),
    [
        ({"CM_ML_MODEL_OWN_NAME": "resnet50"}, "a name of its own", "--model=NAME"),
        ({"CM_ML_MODEL_PATH": ""}, "no file was given", "--model_path"),
        ({"CM_ML_MODEL_PATH": "absent.onnx"}, "absent.onnx does not exist", "ls -l"),
        ({"CM_ML_MODEL_PATH": "net.doc"}, "is no model that is known here", ".onnx"),
        ({"CM_MLPERF_BACKEND": "pytorch"}, "the backend pytorch cannot run net.onnx", "--backend=onnxruntime"),
        ({"CM_ML_MODEL_PATH": "folder", "CM_MLPERF_TASK_OWN_MODEL": ""}, "opens no transformers models", "ONNX"),
    ],
)
def test_refusals(own: Any, tmp_path: Path, changes: dict[str, str], words: str, next_step: str) -> None:
    for name in ("net.onnx", "net.doc"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").touch()
    i = given(Path("net.onnx"), CM_TMP_CURRENT_PATH=str(tmp_path), **changes)
    answer = own.preprocess(i)
    assert answer["return"] == 1
    assert words in answer["error"]
    assert next_step in answer["hint"]


def test_a_transformers_folder_is_opened_as_an_image_classifier(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from image_classification import own as builder

    from harness.config import ModelConfig
    from harness.errors import HarnessError

    small = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=7)
    transformers.ResNetForImageClassification(small).save_pretrained(tmp_path / "net")
    config = ModelConfig(name="mine", architecture="image_classification.own:build", weights=str(tmp_path / "net"))
    import torch

    output = builder.build(config).eval()(torch.zeros(2, 3, 32, 32))
    assert output[0].shape == (2, 7)
    (tmp_path / "net" / "config.json").write_text("{}")
    with pytest.raises(HarnessError, match="cannot be opened as an image classifier"):
        builder.build(config)
