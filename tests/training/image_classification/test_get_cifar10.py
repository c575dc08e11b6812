"""get-dataset-cifar10: from BIG-bench's file to CIFAR-10's layout, and what is said of a full set that is not whole."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from image_training import cifar10 as layout
from PIL import Image
from tests.training.image_classification.conftest import cifar10, script_module

from cm4bench.errors import CMBenchError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture(scope="module")
def convert():
    return script_module("get-dataset-cifar10", "convert")


@pytest.fixture(scope="module")
def step():
    return script_module("get-dataset-cifar10", "customize")


def source(path: Path, count: int = 50) -> tuple[Path, np.ndarray]:
    pictures = np.random.default_rng(0).integers(0, 255, (count, 32, 32, 3), dtype=np.uint8)
    examples = []
    for number, picture in enumerate(pictures):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "png")
        scores = {name: int(name == NAMES[number % 10]) for name in NAMES}
        examples.append({"input": base64.b64encode(file.getvalue()).decode(), "target_scores": scores})
    path.write_text(json.dumps({"examples": examples}))
    return path, pictures


def converted(convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path) -> int:
    monkeypatch.setattr("sys.argv", ["convert", "--source", str(file), "--out", str(tmp_path / "out")])
    return convert.main()


def test_every_image_is_in_one_batch_with_its_class(convert, tmp_path: Path, monkeypatch):
    file, pictures = source(tmp_path / "task.json")
    assert converted(convert, tmp_path, monkeypatch, file) == 0
    found = layout.read(tmp_path / "out")
    assert (len(found.train), len(found.test)) == (40, 10)
    known = {picture.transpose(2, 0, 1).tobytes(): number % 10 for number, picture in enumerate(pictures)}
    seen = [
        (one.numpy().tobytes(), int(label))
        for part in (found.train, found.test)
        for one, label in zip(part.pixels, part.labels, strict=True)
    ]
    assert len(set(seen)) == 50 and all(known[pixels] == label for pixels, label in seen)
    meta = pickle.loads((tmp_path / "out" / "batches.meta").read_bytes())
    assert [name.decode() for name in meta[b"label_names"]] == NAMES and meta[b"num_cases_per_batch"] == 8


def test_the_same_images_are_always_those_to_test(convert):
    assert convert.divide(10_000) == convert.divide(10_000)
    assert [len(part) for part in convert.divide(10_000)] == [1600] * 5 + [2000]


NO_PNG = '{"examples": [{"input": "!", "target_scores": {"a": 1}}]}'


@pytest.mark.parametrize("text", ["", "[]", '{"examples": []}', NO_PNG])
def test_another_file_is_refused_by_name(convert, tmp_path: Path, monkeypatch, capsys, text: str):
    (tmp_path / "task.json").write_text(text)
    assert converted(convert, tmp_path, monkeypatch, tmp_path / "task.json") == 1
    assert "task.json is not BIG-bench's" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def full(path: Path | str = "", **more: str) -> dict[str, str]:
    return {"CM_DATASET_TIER": "full", "CM_DATASET_CIFAR10_GIVEN_PATH": str(path), **more}


def test_a_folder_that_is_not_cifar10s_is_named(step, tmp_path: Path):
    env = full(cifar10(tmp_path))
    step.preprocess({"env": env})
    with pytest.raises(CMBenchError, match="data_batch_1 is damaged or not CIFAR-10's"):
        step.postprocess({"env": env})
    (tmp_path / "data_batch_1").unlink()
    with pytest.raises(CMBenchError, match="data_batch_1 is missing"):
        step.postprocess({"env": env})


def test_a_whole_folder_is_taken(step, tmp_path: Path, monkeypatch):
    folder = cifar10(tmp_path / "cifar-10-batches-py")
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    step.require_official(folder, sums)
    monkeypatch.setattr(step.require_official, "__defaults__", (sums,))
    env = full(tmp_path)
    step.preprocess({"env": env})
    step.postprocess({"env": env})
    assert env["CM_DATASET_CIFAR10_PATH"] == str(folder)


def test_what_has_still_to_be_done(step, tmp_path: Path):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"")
    env = full(tmp_path / "cifar-10-python.tar.gz")
    step.preprocess({"env": env})
    assert (env["CM_DATASET_CIFAR10_REQUIRE_DOWNLOAD"], env["CM_DATASET_CIFAR10_REQUIRE_EXTRACT"]) == ("no", "yes")
    env = full(CM_DATASET_CIFAR10_URL="https://example.org/cifar")
    step.preprocess({"env": env})
    assert env["CM_DATASET_CIFAR10_REQUIRE_DOWNLOAD"] == "yes"


@pytest.mark.parametrize(
    "env, words",
    [
        (full(), "was not given"),
        (full("/nowhere/cifar"), "no CIFAR-10 at /nowhere/cifar"),
        ({"CM_DATASET_TIER": "embedded", "CM_DATASET_CIFAR10_GIVEN_PATH": "/data"}, "the packaged images"),
    ],
)
def test_what_cannot_be_done(step, env: dict[str, str], words: str):
    with pytest.raises(CMBenchError, match=words) as caught:
        step.preprocess({"env": env})
    assert "_full" in caught.value.hint or "--cifar10_path" in caught.value.hint
