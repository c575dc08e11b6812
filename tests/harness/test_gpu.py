"""The real model on a real GPU; skipped where there is none."""

import pytest

from harness import supervise

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")]


@pytest.mark.parametrize("scenario", ["Offline", "Server", "MultiStream"])
@pytest.mark.parametrize("residency", ["host", "device"])
@pytest.mark.parametrize(("precision", "channels_last"), [("fp32", False), ("fp16", True), ("bf16", True)])
def test_accuracy_holds_on_every_way_to_the_gpu(lite0, scenario, residency, precision, channels_last):
    outcome = supervise.run(
        lite0(
            mode="accuracy",
            scenario=scenario,
            device="cuda",
            residency=residency,
            precision=precision,
            channels_last=channels_last,
            target_qps=100.0 if scenario == "Server" else None,
        )
    )
    assert outcome.failure is None
    assert outcome.quality.correct >= (18 if precision == "fp32" else 17)
    assert outcome.device.used == "cuda:0"
    assert outcome.device.residency == ("device" if residency == "device" else "host, pinned")


def test_a_run_is_watched_through_nvml(lite0):
    outcome = supervise.run(
        lite0(device="cuda", precision="fp16", min_duration_ms=3_000, target_qps=5_000.0, batch_size=20)
    )
    assert outcome.device.gpu.samples >= 2, outcome.device.gpu_missing_reason
    assert outcome.device.gpu.sm_clock_mhz_max > 0


def test_a_gpu_that_is_not_there_is_refused(lite0):
    outcome = supervise.run(lite0(device="cuda:63"))
    assert outcome.failure.kind == "device"
    assert "only these exist: cuda:0" in outcome.failure.cause


def test_recorded_kernels_answer_the_same(lite0):
    outcome = supervise.run(lite0(mode="accuracy", device="cuda", cuda_graphs=True))
    assert outcome.failure is None
    assert outcome.quality.correct >= 18
    assert "CUDA graphs" in outcome.device.executed
