"""Exported and quantised models: equal predictions on every backend that is installed. Exporting is slow."""

import importlib.util

import msgspec
import numpy as np
import pytest
from model_conversion import check
from model_conversion.convert import convert
from model_conversion.request import Conversion
from tests.harness import model_files

from harness import registry, supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

IMAGES = "image_classification.task:ImageClassification"
needs = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("torch", "onnx", "onnxscript", "onnxruntime")),
    reason="needs torch, onnx, onnxscript and onnxruntime",
)


def conversion(folder, model, dataset, **changes):
    fields = {
        "model": model,
        "task": IMAGES,
        "task_path": (),
        "dataset": str(dataset),
        "tier": "synthetic",
        "format": "onnx",
        "precision": "fp32",
        "method": "auto",
        "samples": 8,
        "folder": folder,
    }
    return Conversion(**(fields | changes))


class TestAgreement:
    def answer(self, shift=0.0):
        return lambda batch: [batch[0] + np.array([shift, 0.0])]

    def test_largest_difference_and_equal_tops(self):
        batches = [[np.array([[1.0, 4.0], [3.0, 2.9]])]]
        found = check.agreement(self.answer(), self.answer(-0.2), batches)
        assert (found.samples, found.same_top) == (2, 0.5)
        assert found.error == pytest.approx(0.05)
        check.require(found, "int8")
        with pytest.raises(HarnessError, match="differs by 5 %"):
            check.require(found, "fp32")

    def test_undefined_answers_are_another_function(self):
        found = check.agreement(self.answer(), self.answer(np.nan), [[np.ones((2, 2))]])
        with pytest.raises(HarnessError):
            check.require(found, "int8")

    def test_another_shape_is_refused(self):
        with pytest.raises(HarnessError, match=r"gives \(1, 2\) where the original gives \(2, 2\)"):
            check.agreement(self.answer(), lambda batch: [batch[0][:1]], [[np.ones((2, 2))]])


@pytest.mark.parametrize("method", ["static", "dynamic"])
def test_an_onnx_file_is_quantised_without_torch(tiny_dataset, tmp_path, method):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path = model_files.onnx_classifier(tmp_path / "own.onnx", classes=24)
    model = ModelConfig(name="own", architecture="none", weights=str(path))
    found = convert(conversion(tmp_path / "out", model, tiny_dataset, precision="int8", method=method))
    assert (found["quantisation"], found["samples"]) == (method, 8)
    assert (found["calibration"] is None) == (method == "dynamic")
    assert found["error"] < 0.2
    assert path.is_file() and (tmp_path / "out" / "model.onnx").is_file()


@needs
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_every_backend_predicts_like_pytorch(lite0, tmp_path, precision):
    pytorch = lite0(mode="accuracy")
    converted = conversion(
        tmp_path / "out", pytorch.model, pytorch.dataset, tier="embedded", precision=precision, samples=20
    )
    facts = convert(converted)
    assert facts["same_top"] >= (1.0 if precision == "fp32" else 0.95)
    for backend in ("onnxruntime", "openvino"):
        if importlib.util.find_spec(backend) is None:
            continue
        model = msgspec.structs.replace(pytorch.model, weights=str(converted.file))
        outcome = supervise.run(msgspec.structs.replace(pytorch, backend=backend, precision=precision, model=model))
        assert outcome.failure is None
        assert outcome.quality.correct >= (18 if precision == "fp32" else 17)
        assert outcome.device.precision == precision


class SmallBert:
    """An architecture: a two-layer BERT of the library transformers, from a seed."""

    @staticmethod
    def build(model):
        pytest.importorskip("transformers")
        from question_answering.networks import SpanExtractor
        from transformers import BertConfig, BertForQuestionAnswering

        small = BertConfig(
            hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, vocab_size=500
        )
        return SpanExtractor(BertForQuestionAnswering(small))


@needs
@pytest.mark.slow
def test_a_bert_is_equal_on_every_backend_at_every_length(configure, tmp_path):
    import torch
    from model_conversion import export

    from harness.tasks.base import Column

    columns = tuple(Column(name, (48,), "int64", "trim") for name in ("input_ids", "attention_mask", "token_type_ids"))
    random = np.random.default_rng(0)
    ids = random.integers(1, 500, (6, 48))
    data = (ids, np.ones_like(ids), np.zeros_like(ids))
    model = ModelConfig(name="bert", architecture="tests.harness.test_conversion:SmallBert.build", seed=0)
    torch.manual_seed(0)
    module = SmallBert.build(model).eval()
    path = tmp_path / "model.onnx"
    export.to_onnx(module, columns, [one[:2] for one in data], path)
    for name in ("onnxruntime", "openvino"):
        if importlib.util.find_spec(name) is None:
            continue
        own = ModelConfig(name="bert", architecture="none", weights=str(path))
        backend = registry.resolve("backend", name)(configure(backend=name, model=own, batch_size=3), "none")
        backend.load()
        backend.stage(6, columns, iter([data]))
        for rows, longest in (([0, 1, 2], 48), ([5, 3], 17), ([4], 9)):
            (found,) = backend.collect(backend.submit(rows, longest))
            with torch.inference_mode():
                expected = module(*[torch.from_numpy(one[rows, :longest]) for one in data]).numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
