"""Backends that run model files: equal answers, device truth, and one screen for each fault."""

import numpy as np
import pytest
from tests.harness import model_files

from harness import registry, supervise
from harness.backends.host import HostBackend
from harness.backends.kernels import Kernels, computes
from harness.backends.ports import Port, feeds
from harness.backends.require import package
from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.tasks.base import Column

IMAGE = Column("image", (3, 8, 8))
MODULES = {"onnxruntime": "onnxruntime", "openvino": "openvino"}
IMAGES = "image_classification.task:ImageClassification"


@pytest.fixture(params=MODULES)
def backend_name(request):
    pytest.importorskip("onnx")
    pytest.importorskip(MODULES[request.param])
    return request.param


@pytest.fixture
def opened(configure):
    """Factory: a loaded backend on a model file."""

    def make(name, path, reduction="none", **changes):
        model = ModelConfig(name="small", architecture="none", weights=str(path))
        config = configure(backend=name, model=model, batch_size=changes.pop("batch_size", 4), **changes)
        backend = registry.resolve("backend", name)(config, reduction)
        backend.load()
        return backend

    return make


def answers(backend, rows, longest=None):
    return backend.collect(backend.submit(rows, longest))


def test_rows_reach_the_model_in_order(backend_name, opened, tmp_path):
    images = np.random.default_rng(1).normal(size=(6, 3, 8, 8)).astype(np.float32)
    backend = opened(backend_name, model_files.onnx_classifier(tmp_path / "c.onnx"))
    backend.stage(6, (IMAGE,), iter([(images[:4],), (images[4:],)]))
    (whole,) = answers(backend, [0, 1, 2, 3])
    (picked,) = answers(backend, [5, 1, 0])
    assert whole.shape == (4, 10)
    np.testing.assert_allclose(picked[1:], whole[[1, 0]], rtol=1e-4, atol=1e-5)
    execution = backend.execution()
    assert (execution.used, execution.precision, execution.threads) == ("cpu", "fp32", 1)
    assert execution.output_shapes == ((4, 10),)
    assert "fp32 kernels" in execution.executed


def test_the_frameworks_agree(opened, tmp_path):
    pytest.importorskip("onnx")
    for module in MODULES.values():
        pytest.importorskip(module)
    path = model_files.onnx_classifier(tmp_path / "c.onnx")
    images = np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32)
    found = []
    for name in MODULES:
        backend = opened(name, path)
        backend.stage(4, (IMAGE,), iter([(images,)]))
        found.append(answers(backend, [0, 1, 2, 3])[0])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_columns_are_trimmed_and_matched_by_name(backend_name, opened, tmp_path):
    """The file has its inputs in another order than the task."""
    backend = opened(backend_name, model_files.onnx_adder(tmp_path / "a.onnx"))
    ids, mask = np.arange(12).reshape(3, 4), np.ones((3, 4), np.int64)
    columns = (Column("input_ids", (4,), "int64", "trim"), Column("mask", (4,), "int64", "trim"))
    backend.stage(3, columns, iter([(ids, mask)]))
    assert answers(backend, [1, 2], 2)[0].tolist() == [[5, 6], [9, 10]]
    assert answers(backend, [2, 0], 4)[0].tolist() == [[9, 10, 11, 12], [1, 2, 3, 4]]


def test_bfloat16_is_used_only_where_it_was_asked_for(opened, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    backend = opened("openvino", model_files.onnx_classifier(tmp_path / "c.onnx"))
    assert backend.execution().precision == "fp32"


def test_a_tflite_file_gets_channels_last_images(opened, tmp_path):
    pytest.importorskip("ai_edge_litert")
    path, matrix = model_files.tflite_classifier(tmp_path / "c.tflite")
    backend = opened("tflite", path)
    images = np.random.default_rng(1).normal(size=(5, 3, 8, 8)).astype(np.float32)
    backend.stage(5, (IMAGE,), iter([(images,)]))
    expected = images.transpose(0, 2, 3, 1).reshape(5, -1) @ matrix.T
    for rows in ([0, 1, 2, 3], [4], [2, 0]):
        np.testing.assert_allclose(answers(backend, rows)[0], expected[rows], rtol=1e-4, atol=1e-4)
    assert (backend.execution().precision, backend.execution().used) == ("fp32", "cpu")


def test_a_compiled_library_answers_like_the_file_it_came_from(opened, tmp_path):
    for module in ("onnx", "onnxruntime", "tvm"):
        pytest.importorskip(module)
    import json

    from model_conversion.compile_tvm import to_library

    source, library = model_files.onnx_classifier(tmp_path / "model.onnx"), tmp_path / "model.so"
    (tmp_path / "conversion.json").write_text(json.dumps(to_library(source, library)))
    images = np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32)
    found = []
    for backend in (opened("tvm", library), opened("onnxruntime", source)):
        backend.stage(4, (IMAGE,), iter([(images,)]))
        found.append(answers(backend, [3, 0, 1])[0])
        assert (backend.execution().precision, backend.execution().used) == ("fp32", "cpu")
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_a_whole_run_ends_with_the_truth_in_its_record(backend_name, configure, tiny_dataset, tmp_path):
    pytest.importorskip("mlperf_loadgen")
    path = model_files.onnx_classifier(tmp_path / "c.onnx", classes=24)
    model = ModelConfig(name="small", architecture="none", weights=str(path))
    outcome = supervise.run(
        configure(task=IMAGES, dataset=str(tiny_dataset), backend=backend_name, model=model, batch_size=4)
    )
    assert outcome.failure is None
    assert outcome.device.executed.startswith(backend_name)
    assert outcome.device.precision == "fp32"
    assert outcome.model_facts["weights_sha256"]


class TestFaults:
    """Cause and kind of each."""

    def load(self, opened, path, name="onnxruntime", columns=(IMAGE,), **changes):
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
        with pytest.raises(HarnessError) as caught:
            backend = opened(name, path, **changes)
            data = tuple(np.zeros((4, *column.shape), column.dtype) for column in columns)
            backend.stage(4, columns, iter([data]))
            answers(backend, [0, 1, 2, 3])
        assert caught.value.hint
        return caught.value

    def test_no_model_file(self, opened, tmp_path):
        assert "does not exist" in self.load(opened, tmp_path / "absent.onnx").cause

    @pytest.mark.parametrize("name", MODULES)
    def test_a_truncated_file(self, opened, tmp_path, name):
        pytest.importorskip(MODULES[name])
        pytest.importorskip("onnx")
        path = model_files.onnx_classifier(tmp_path / "c.onnx")
        path.write_bytes(path.read_bytes()[:200])
        error = self.load(opened, path, name)
        assert error.kind == "weights"
        assert str(path) in error.cause

    def test_another_image_size(self, opened, tmp_path):
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_classifier(tmp_path / "c.onnx", side=16))
        assert "has shape (any, 3, 16, 16), the task's samples make (n, 3, 8, 8)" in error.cause

    def test_another_type(self, opened, tmp_path):
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_adder(tmp_path / "a.onnx"), columns=(IMAGE, IMAGE))
        assert "takes int64, the task's column 'image' is float32" in error.cause

    def test_another_number_of_inputs(self, opened, tmp_path):
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_adder(tmp_path / "a.onnx"))
        assert "has 2 inputs (mask, input_ids), the task gives 1 (image)" in error.cause

    def test_a_fixed_batch(self, opened, tmp_path):
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_classifier(tmp_path / "c.onnx", batch=1))
        assert "takes batches of 1 only, asked: 4" in error.cause

    def test_undefined_outputs(self, opened, tmp_path):
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_classifier(tmp_path / "c.onnx", undefined=True))
        assert (error.kind, "4 of the 40 values that small returned in output 0 are NaN" in error.cause) == (
            "raised",
            True,
        )

    @pytest.mark.parametrize("name", ["onnxruntime", "openvino", "tflite", "tensorrt"])
    def test_a_gpu_that_cannot_be_had_is_not_replaced_by_the_cpu(self, opened, tmp_path, name):
        pytest.importorskip({"tflite": "ai_edge_litert", "tensorrt": "onnxruntime"}.get(name, name))
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_classifier(tmp_path / "c.onnx"), name, device="cuda")
        assert error.kind == "device"
        assert "device 'cuda'" in error.cause

    def test_openvino_says_when_it_would_not_compute_in_8_bits(self, opened, tmp_path):
        pytest.importorskip("openvino")
        pytest.importorskip("onnx")
        error = self.load(opened, model_files.onnx_classifier(tmp_path / "c.onnx"), "openvino", precision="int8")
        assert "OpenVINO computes this model with 2 fp32 kernels" in error.cause

    def test_a_framework_that_is_not_installed(self):
        with pytest.raises(HarnessError, match="package surely-absent is not installed") as caught:
            package("surely-absent")
        assert caught.value.hint.startswith('cmr "get generic-python-lib')


def test_ports_are_paired_by_name_or_in_order():
    columns = (Column("a", (2,)), Column("b", (3,), "int64"))
    swapped = [Port("b", (None, 3), "int64"), Port("a", (None, 2), "float32")]
    assert [feed.column.name for feed in feeds(columns, swapped, "m")] == ["b", "a"]
    others = [Port("x", (None, 2), "float16"), Port("y", (None, None), "int32")]
    assert [feed.port.name for feed in feeds(columns, others, "m")] == ["x", "y"]


def test_ragged_samples_have_no_batch_axis_or_come_alone(configure):
    class Echo(HostBackend):
        def ports(self):
            return [Port("pairs", (None, 2), "float32"), Port("volume", (1, None, 2), "float32")]

        def infer(self, batch):
            return batch

    columns = (Column("pairs", (None, 2), join="concat"), Column("volume", (None, 2), join="single"))
    samples = [np.full((length, 2), length, np.float32) for length in (1, 3)]
    backend = Echo(configure(batch_size=1), "none")
    backend.stage(2, columns, iter([(samples, samples)]))
    joined, alone = answers(backend, [1])
    assert (joined.shape, alone.shape) == ((3, 2), (1, 3, 2))


def test_most_kernels_decide_the_precision():
    from collections import Counter

    assert Kernels(Counter({"int8": 3, "fp32": 2})).precision == "int8"
    assert Kernels(Counter({"int8": 3, "fp32": 2})).describe() == "3 int8 and 2 fp32 kernels"
    assert computes("FusedMatMul") and computes("Convolution") and not computes("Reshape")
