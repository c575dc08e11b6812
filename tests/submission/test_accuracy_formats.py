"""accuracy.txt of each task has the lines that upstream's checker looks for."""

import json
import struct

import pytest
from mlperf_checker.scores import scores

from harness.accuracy.log import FILE_NAME

LOG = "mlperf_log_accuracy.json"


def write_log(folder, payloads):
    entries = [{"seq_id": k, "qsl_idx": k, "data": data.hex().upper()} for k, data in enumerate(payloads)]
    (folder / LOG).write_text(json.dumps(entries))
    return folder


def image_classification(folder):
    from image_classification import metric

    metric.score(write_log(folder, [struct.pack("<f", k) for k in (1, 2, 3, 9)]), [1, 2, 3, 4], None)


def medical_segmentation(folder):
    from medical_segmentation.metric import _line

    (folder / FILE_NAME).write_text(_line(0.86171, ["kidney", "tumor"], [0.93, 0.79]))


def recommendation(folder):
    import numpy as np
    from recommendation import metric

    pytest.importorskip("sklearn")
    answers = [struct.pack("<4f", 0.9, 1, 0.2, 0), struct.pack("<2f", 0.6, 0)]
    metric.score(write_log(folder, answers), np.array([0, 2, 3]), None)


def speech_recognition(folder):
    from speech_recognition import metric

    found = metric.WordErrors(3, 100)
    metric.report(folder, found, 10, None, found)


def text_generation(folder):
    from text_generation.metrics import Figures

    values = {"rouge1": 42.9865, "rouge2": 20.1, "rougeL": 29.9, "rougeLsum": 36.0, "gen_len": 4016878}
    (folder / FILE_NAME).write_text(Figures("rouge1", values | {"tokens_per_sample": 294.4}).printed())


def exact_match(folder):
    from text_generation.metrics import Figures

    (folder / FILE_NAME).write_text(
        Figures("exact_match", {"exact_match": 81.4, "tokens_per_sample": 3886.2}).printed()
    )


@pytest.mark.parametrize(
    ("task", "found"),
    [
        (image_classification, {"acc": "75.000"}),
        (medical_segmentation, {"DICE": "0.86171"}),
        (recommendation, {"AUC": "100.000"}),
        (speech_recognition, {"ACCURACY": "97.0"}),
        (
            text_generation,
            {
                "ROUGE1": "42.9865",
                "ROUGE2": "20.1",
                "ROUGEL": "29.9",
                "ROUGELSUM": "36.0",
                "GEN_LEN": "4016878",
                "TOKENS_PER_SAMPLE": "294.4",
            },
        ),
        (exact_match, {"exact_match": "81.4", "TOKENS_PER_SAMPLE": "3886.2"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_checker_finds_the_score(tmp_path, task, found):
    task(tmp_path)
    assert scores((tmp_path / FILE_NAME).read_text(), tuple(found)) == found
