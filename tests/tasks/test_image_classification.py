"""The preprocessed data set, its normalisation and its score."""

import json

import numpy as np
import pytest
from image_classification import metric
from image_classification.task import ImageClassification
from tests.harness.conftest import write_dataset

from harness.errors import HarnessError

IMAGES = "image_classification.task:ImageClassification"


def task_of(configure, folder, **changes):
    return ImageClassification(configure(task=IMAGES, dataset=str(folder), **changes))


def test_samples_are_normalised_channel_first(configure, tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    folder = write_dataset(tmp_path, images, [0, 1, 2], mean=(1.0, 2.0, 3.0), std=(10.0, 20.0, 40.0))
    task = task_of(configure, folder)
    (loaded,) = task.load([2, 0])
    assert loaded.dtype == np.float32
    assert loaded.flags["C_CONTIGUOUS"]
    assert loaded.shape == (2, 3, 4, 5) == (2, *task.columns[0].shape)
    expected = (images[[2, 0]].astype(np.float64) - (1, 2, 3)) / (10, 20, 40)
    np.testing.assert_allclose(loaded, expected.transpose(0, 3, 1, 2), rtol=1e-6, atol=1e-6)
    assert task.sample_bytes == loaded.nbytes // 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": 25}, "samples.npy has shape (24, 8, 8, 3), dataset.json says 25 samples"),
        ({"count": 0}, "says count 0"),
        ({"shape": [8, 9, 3]}, "samples of (8, 9, 3)"),
        ({"std": [1, 0, 1]}, "must be above 0"),
        ({"tier": "huge"}, "$.tier"),
        ({"mean": [1, 2]}, "$.mean"),
    ],
)
def test_a_description_that_does_not_fit_is_an_error(configure, tiny_dataset, changes, said):
    path = tiny_dataset / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(HarnessError) as caught:
        task_of(configure, tiny_dataset)
    assert caught.value.kind == "dataset"
    assert said in caught.value.cause


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((24, 8, 8, 3), np.float32), "samples.npy holds float32, expected uint8"),
        (np.zeros((20, 8, 8, 3), np.uint8), "dataset.json says 24 samples"),
    ],
)
def test_too_few_or_wrong_samples(configure, tiny_dataset, array, said):
    np.save(tiny_dataset / "samples.npy", array)
    with pytest.raises(HarnessError) as caught:
        task_of(configure, tiny_dataset)
    assert said in caught.value.cause


def test_too_few_labels_and_missing_or_cut_files(configure, tiny_dataset):
    np.save(tiny_dataset / "labels.npy", np.arange(20))
    with pytest.raises(HarnessError, match=r"labels\.npy has shape"):
        task_of(configure, tiny_dataset)
    (tiny_dataset / "labels.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(HarnessError, match=r"labels.npy is not a usable \.npy file"):
        task_of(configure, tiny_dataset)
    (tiny_dataset / "samples.npy").unlink()
    with pytest.raises(HarnessError, match=r"cannot read .*samples.npy: No such file"):
        task_of(configure, tiny_dataset)


@pytest.mark.parametrize(
    ("data", "run", "fine"),
    [("synthetic", "full", False), ("embedded", "full", False), ("full", "embedded", True), ("full", "full", True)],
)
def test_a_run_may_claim_no_more_than_its_data(configure, tmp_path, data, run, fine):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    folder = write_dataset(tmp_path / "data", images, [0, 1], tier=data)
    if fine:
        assert task_of(configure, folder, tier=run).count == 2
        return
    with pytest.raises(HarnessError, match=f"of tier '{data}' but the run claims '{run}'"):
        task_of(configure, folder, tier=run)


LABELS = list(range(24))


def answer(index, label):
    return {"seq_id": 0, "qsl_idx": index, "data": np.float32(label).tobytes().hex().upper()}


def write_log(folder, answers):
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(answers))


def test_score_counts_each_sample_once(tmp_path):
    answers = [answer(k, k if k % 2 else 999) for k in range(24)]
    write_log(tmp_path, [*answers, answer(0, 0)])
    quality = metric.score(tmp_path, LABELS, 50.0)
    assert (quality.correct, quality.total, quality.value, quality.passed) == (12, 24, 50.0, True)
    assert (tmp_path / "accuracy.txt").read_text() == "accuracy=50.000%, good=12, total=24\n"
    assert metric.score(tmp_path, LABELS, 50.1).passed is False
    assert metric.score(tmp_path, LABELS, None).passed is None


def test_an_incomplete_or_foreign_log_is_no_score(tmp_path):
    write_log(tmp_path, [answer(k, k) for k in range(24) if k != 7])
    with pytest.raises(HarnessError, match="answers 23 of 24 samples; first missing: 7"):
        metric.score(tmp_path, LABELS, None)
    write_log(tmp_path, [answer(k, k) for k in range(25)])
    with pytest.raises(HarnessError, match="answers 25 samples, the data set has 24"):
        metric.score(tmp_path, LABELS, None)
    for text in ("[", '[{"qsl_idx": 0, "data": "00"}]', '[{"qsl_idx": 0}]', '[{"qsl_idx": 0, "data": "0g"}]'):
        (tmp_path / "mlperf_log_accuracy.json").write_text(text)
        with pytest.raises(HarnessError, match="not an accuracy log"):
            metric.score(tmp_path, [0], None)


def test_the_line_is_what_the_submission_checker_looks_for(tmp_path):
    import re

    write_log(tmp_path, [answer(k, k) for k in range(24)])
    metric.score(tmp_path, LABELS, None)
    pattern = r"^accuracy=([\d\.]+).*"  # what submission checkers match for resnet
    assert re.match(pattern, (tmp_path / "accuracy.txt").read_text())[1] == "100.000"
