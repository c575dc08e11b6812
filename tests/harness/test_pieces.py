"""Sample library, recorder, memory, GPU watch, stacks: the small parts."""

import numpy as np
import pytest

from harness import memory, watch
from harness.backends.null import NullBackend
from harness.errors import HarnessError
from harness.gpu import GpuWatch
from harness.qsl import CHUNK, SampleLibrary
from harness.recorder import Recorder
from harness.responses import ResponsePool
from harness.tasks.null import NullTask


class Staged(NullBackend):
    def stage(self, count, columns, chunks):
        self.chunks = [len(column) for (column,) in chunks]
        assert sum(self.chunks) == count


def test_samples_lie_in_the_order_loadgen_names_them(configure):
    backend = Staged(configure(), "none")
    library = SampleLibrary(NullTask(configure()), backend, 1024)
    library.load([5, 3, 9, 5, 3])  # MultiStream repeats the first samples at the end
    assert backend.chunks == [3]
    assert library.rows([5, 3, 9]) == [0, 1, 2]
    assert library.rows([9, 5]) == [2, 0]
    library.unload([5, 3, 9, 5, 3])
    library.load(list(range(CHUNK + 1)))
    assert backend.chunks == [CHUNK, 1]


def test_the_recorder_stays_small_and_spread_out(tmp_path):
    recorder = Recorder(4, "test", limit=1024)
    for value in range(100_000):
        recorder.latency(value)
        recorder.completed_batch(1 + value % 4)
    summary = recorder.latencies(tmp_path / "latencies.npy")
    values = np.load(tmp_path / "latencies.npy")
    assert summary.count == 100_000
    assert len(values) == summary.kept < 1024
    assert set(np.diff(values)) == {summary.stride}
    assert values[-1] > 99_000
    assert sum(summary.counts) == summary.kept
    assert len(summary.edges_ms) == len(summary.counts) + 1
    assert abs(summary.quantiles_ms["p50"] - 0.05) < 0.001
    assert recorder.histogram() == {1: 25_000, 2: 25_000, 3: 25_000, 4: 25_000}
    assert recorder.completed == 250_000


def test_a_recorder_without_latencies_has_no_summary(tmp_path):
    assert Recorder(1, "test").latencies(tmp_path / "x.npy") is None


def test_responses_point_into_one_buffer():
    class Loadgen:
        seen = None

        class QuerySampleResponse:
            def __init__(self, id, data, size):
                self.id, self.data, self.size = id, data, size

        @staticmethod
        def QuerySamplesComplete(responses):
            Loadgen.seen = [(one.id, one.data, one.size) for one in responses]

    pool = ResponsePool(Loadgen, 4, "float32", 2)
    base = pool.results.ctypes.data
    pool.complete([11, 12, 13], np.ones((3, 2)))
    assert Loadgen.seen == [(11, base, 8), (12, base + 8, 8), (13, base + 16, 8)]
    pool.complete([1, 2, 3, 4], np.zeros((4, 2)))
    assert [one[0] for one in Loadgen.seen] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("asked", "benchmark", "total", "fitting", "count", "note"),
    [
        (None, 1024, 50_000, 10_000, 1024, ""),
        (None, 1024, 20, 10_000, 20, "reduced from 1024 to 20: the data set has 20 samples"),
        (None, 1024, 50_000, 100, 100, "reduced from 1024 to 100: 100 samples fit into memory"),
        (None, 0, 43, 10_000, 43, ""),
        (8, 1024, 20, 10_000, 8, ""),
    ],
)
def test_performance_sample_count(asked, benchmark, total, fitting, count, note):
    found, said = memory.performance_sample_count(asked, benchmark, total, fitting)
    assert found == count
    assert said.endswith(note)
    assert bool(said) == bool(note)


def test_an_explicit_sample_count_is_never_reduced_silently():
    with pytest.raises(HarnessError, match="21 was asked for, but the data set has 20"):
        memory.performance_sample_count(21, 1024, 20, 100)
    with pytest.raises(HarnessError, match="only 10 fit into memory"):
        memory.performance_sample_count(15, 1024, 20, 10)


def test_memory_limit():
    assert memory.samples_that_fit(1 << 20, 5) == 5
    assert memory.samples_that_fit(1, None) > 1_000_000
    with pytest.raises(HarnessError, match="one sample takes"):
        memory.samples_that_fit(2 << 20, 1)


class FakeNvml:
    """NVML as far as the watch uses it."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __init__(self):
        self.clocks = iter([1980, 1200, 1500])
        self.reasons = iter([0x1, 0x4, 0x40])

    def nvmlInit(self):
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):
        if uuid != "GPU-1":
            raise RuntimeError("Not Found")
        return "handle"

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle):
        return next(self.reasons)

    def nvmlDeviceGetClockInfo(self, handle, kind):
        return next(self.clocks) if kind == 1 else 2619

    def nvmlDeviceGetUtilizationRates(self, handle):
        return type("Rates", (), {"gpu": 90})

    def nvmlDeviceGetTemperature(self, handle, kind):
        return 60

    def nvmlDeviceGetPowerUsage(self, handle):
        return 350_000

    def nvmlDeviceGetName(self, handle):
        return "Test GPU"

    def nvmlSystemGetDriverVersion(self):
        return "600.1"

    def nvmlDeviceGetMaxClockInfo(self, handle, kind):
        return 1980


def test_gpu_truth_keeps_clocks_and_throttling():
    gpu = GpuWatch(FakeNvml())
    gpu.sample()  # not watching yet
    gpu.watch("GPU-1")
    for _ in range(3):
        gpu.sample()
    truth = gpu.truth()
    assert (truth.samples, truth.sm_clock_mhz_min, truth.sm_clock_mhz_max) == (3, 1200, 1980)
    assert truth.throttle_reasons == ("hardware thermal slowdown", "software power cap")
    assert truth.power_w_mean == 350.0


def test_a_gpu_that_nvml_does_not_know_is_said_so():
    gpu = GpuWatch(FakeNvml())
    gpu.watch("GPU-2")
    gpu.sample()
    assert gpu.truth() is None
    assert gpu.missing == "NVML: Not Found"


def test_the_stuck_frame_is_the_answering_threads(tmp_path):
    console = tmp_path / "console.log"
    console.write_text(
        "Thread 0x1 (most recent call first):\n"
        '  File "/lib/threading.py", line 355 in wait\n'
        '  File "/x/harness/heartbeat.py", line 40 in _beat\n\n'
        "Current thread 0x2 (most recent call first):\n"
        '  File "/y/engine.py", line 7 in forward\n'
        '  File "/x/harness/scenarios/inline.py", line 50 in issue\n'
    )
    assert watch.stuck_at(console) == "engine.py:7 in forward"
    assert watch.stuck_at(tmp_path / "absent") == ""


def test_a_quiet_server_is_given_time(configure, tmp_path):
    """At 0.1 queries/s a pause of a minute is nothing; the rate may stand in either place."""
    conf = tmp_path / "user.conf"
    conf.write_text("resnet50.Server.target_qps = 0.1\n")
    for options in ({"target_qps": 0.1}, {"user_conf": str(conf)}):
        patience = watch.Patience(configure(scenario="Server", hang_timeout_s=1.0, **options))
        patience.hear(watch.Message(phase="loadgen", issued=5, completed=5))
        assert 190 < patience.left_s <= 200
    patience = watch.Patience(configure(hang_timeout_s=1.0))
    patience.hear(watch.Message(phase="loadgen", issued=5, completed=5))
    assert patience.left_s <= 1.0


def test_repeating_itself_is_no_sign_of_life(configure, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    patience = watch.Patience(configure(hang_timeout_s=5.0))
    for seconds, completed in ((0, 1), (3, 2), (3, 2), (3, 2)):
        clock[0] += seconds
        patience.hear(watch.Message(phase="loadgen", issued=9, completed=completed))
    assert patience.left_s == -1.0
