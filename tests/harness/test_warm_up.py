"""What the warm-up finds: too large batches, undefined values, a model that is not for these data."""

import pytest
from tests.harness import model_files

from harness import memory, supervise
from harness.backends.outputs import WATCHED, OutputCheck
from harness.config import ModelConfig
from harness.errors import HarnessError

pytest.importorskip("mlperf_loadgen")
IMAGES = "image_classification.task:ImageClassification"


def test_out_of_memory_halves_the_batch_and_says_so(configure):
    outcome = supervise.run(configure(backend="tests.harness.hungry:Hungry", batch_size=16))
    assert outcome.failure is None
    assert max(outcome.batch_histogram) == 2
    assert "out of memory: batch size reduced from 16 to 2" in outcome.notes


def test_no_room_for_a_single_sample_is_told_as_it_is(configure):
    outcome = supervise.run(configure(backend="tests.harness.hungry:Starved", batch_size=4))
    assert outcome.failure.kind == "raised"
    assert "can't allocate memory" in outcome.failure.cause


def test_other_failures_do_not_shrink_the_batch(configure):
    outcome = supervise.run(configure(backend="tests.harness.hungry:OutOfReach", batch_size=4))
    assert "no kernel for this operator" in outcome.failure.cause
    assert not outcome.notes


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"),
        Exception("Failed to allocate memory for requested buffer of size 8"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_the_words_of_allocators_are_known(error):
    assert memory.is_exhausted(error)
    assert not memory.is_exhausted(RuntimeError("shape mismatch"))


def test_a_model_with_too_few_classes(configure, tiny_dataset, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    weights = str(model_files.onnx_classifier(tmp_path / "c.onnx", classes=10))
    model = ModelConfig(name="mine", architecture="none", weights=weights)
    outcome = supervise.run(
        configure(task=IMAGES, dataset=str(tiny_dataset), backend="onnxruntime", model=model, batch_size=4)
    )
    assert outcome.failure.kind == "weights"
    assert "answers with (10,) values per image, the labels go up to class 23" in outcome.failure.cause


class TestOutputCheck:
    def broken(self):
        import numpy as np

        return [np.array([1.0, np.nan])]

    def test_a_performance_run_checks_its_first_batches(self, configure):
        check = OutputCheck(configure())
        for _ in range(WATCHED):
            with pytest.raises(HarnessError, match="1 of the 2 values"):
                check(self.broken())
        check(self.broken())

    def test_an_accuracy_run_checks_all(self, configure):
        check = OutputCheck(configure(mode="accuracy", precision="fp16"))
        for _ in range(WATCHED + 2):
            with pytest.raises(HarnessError) as caught:
                check(self.broken())
        assert "fp16 may overflow" in caught.value.hint

    def test_infinity_is_a_value(self, configure):
        import numpy as np

        check = OutputCheck(configure())
        check([np.array([[-np.inf, 0.0]])])
        assert check.shapes == ((1, 2),)
