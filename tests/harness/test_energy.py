"""Device energy: counters on made-up sysfs trees and a made-up NVML, and whole runs that carry the figure."""

import json
import os
from pathlib import Path

import pytest

from harness import energy, supervise
from harness.energy import Meter

UUID = "GPU-1"


def zone(powercap, name, uj, folder="intel-rapl:0", limit=262_143_328_850):
    """One powercap zone."""
    place = powercap / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "name").write_text(f"{name}\n")
    (place / "energy_uj").write_text(f"{uj}\n")
    (place / "max_energy_range_uj").write_text(f"{limit}\n")
    return place


class FakeNvml:
    """A GPU whose counter rises by 30 J with each reading."""

    def __init__(self, fails=""):
        self.millijoules, self.fails = 0, fails

    def nvmlInit(self):
        if self.fails == "init":
            raise RuntimeError("Driver Not Loaded")

    def nvmlDeviceGetHandleByUUID(self, uuid):
        assert uuid == UUID
        return "handle"

    def nvmlDeviceGetName(self, handle):
        return "Test GPU"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        if self.fails == "energy":
            raise RuntimeError("Not Supported")
        self.millijoules += 30_000
        return self.millijoules


@pytest.fixture
def powercap(tmp_path, monkeypatch):
    place = tmp_path / "powercap"
    monkeypatch.setattr(energy, "POWERCAP", place)
    return place


@pytest.fixture
def clock(monkeypatch):
    """Ten seconds pass between begin and end."""
    times = iter([100.0, 110.0])
    monkeypatch.setattr(energy.time, "monotonic", lambda: next(times))


def no_nvml():
    raise ImportError("No module named 'pynvml'")


def test_packages_and_memory_count_once(powercap, clock, tmp_path):
    package = zone(powercap, "package-0", 1_000_000)
    memory = zone(powercap, "dram", 0, "intel-rapl:0:1")
    zone(powercap, "core", 5, "intel-rapl:0:0")
    zone(powercap, "psys", 5, "intel-rapl:1")
    zone(powercap, "package-0", 5, "intel-rapl-mmio:0")
    meter = Meter.open(None, no_nvml)
    meter.begin()
    (package / "energy_uj").write_text("401000000")
    (memory / "energy_uj").write_text("100000000")
    meter.end()
    found = meter.reading(1000, tmp_path)
    assert {one.name: one.joules for one in found.sources} == {"RAPL package-0": 400.0, "RAPL dram": 100.0}
    assert (found.joules, found.mean_watts, found.window_s, found.joules_per_sample) == (500.0, 50.0, 10.0, 0.5)
    assert found.label == "device energy, not an MLPerf power result"
    assert found.missing == "no NVIDIA GPU"
    assert json.loads((tmp_path / "device_energy.json").read_text())["joules"] == 500.0
    assert energy.describe(found).startswith("0.5 J/sample, 50 W over 10 s (RAPL package-0, RAPL dram; device energy")


def test_a_counter_that_starts_again_is_followed(powercap, clock, tmp_path):
    package = zone(powercap, "package-0", 90_000_000, limit=100_000_000)
    meter = Meter.open(None, no_nvml)
    meter.begin()
    (package / "energy_uj").write_text("15000000")
    meter.end()
    found = meter.reading(10, tmp_path)
    assert found.joules == pytest.approx(25.0)
    assert found.sources[0].true_below_watts == pytest.approx(10.0)  # it goes round once in 10 s at 10 W


def test_the_gpu_that_executed_is_added(powercap, clock, tmp_path):
    zone(powercap, "package-0", 0)
    meter = Meter.open(UUID, FakeNvml)
    meter.begin()
    meter.end()
    found = meter.reading(60, tmp_path)
    assert [one.name for one in found.sources] == ["RAPL package-0", "NVML Test GPU"]
    assert (found.joules, found.joules_per_sample) == (30.0, 0.5)
    assert found.missing == ""


@pytest.mark.parametrize(
    ("uuid", "nvml", "said"),
    [
        (None, no_nvml, "not available: no RAPL, no NVIDIA GPU"),
        (UUID, no_nvml, "energy counter cannot be read: No module named 'pynvml'"),
        (UUID, lambda: FakeNvml("init"), "energy counter cannot be read: Driver Not Loaded"),
        (UUID, lambda: FakeNvml("energy"), "energy counter cannot be read: Not Supported"),
    ],
)
def test_where_nothing_can_be_read_one_line_says_so(powercap, tmp_path, uuid, nvml, said):
    meter = Meter.open(uuid, nvml)
    meter.begin()
    meter.end()
    found = meter.reading(10, tmp_path)
    assert found.joules is None
    assert said in energy.describe(found)
    assert not (tmp_path / "device_energy.json").exists()


def test_a_counter_for_root_only_is_said(powercap, tmp_path, monkeypatch):
    zone(powercap, "package-0", 0)
    read = Path.read_text

    def refuse(path, *args, **more):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    found = Meter.open(None, no_nvml).reading(1, tmp_path)
    assert found.missing == "not available: RAPL may be read by root only, no NVIDIA GPU"


def test_a_counter_that_fails_in_the_middle_gives_no_figure(powercap, tmp_path):
    package = zone(powercap, "package-0", 0)
    meter = Meter.open(None, no_nvml)
    meter.begin()
    (package / "energy_uj").write_text("not a number")
    meter.end()
    found = meter.reading(1, tmp_path)
    assert found.joules is None
    assert "a counter could not be read" in found.missing


class TestRuns:
    """With the real loadgen; the child looks for the counters in a folder that the backend names."""

    @pytest.fixture
    def counters(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TEST_POWERCAP", str(tmp_path / "powercap"))
        return tmp_path / "powercap"

    def test_a_performance_run_carries_its_energy(self, configure, counters):
        pytest.importorskip("mlperf_loadgen")
        zone(counters, "package-0", 0)
        outcome = supervise.run(configure(backend="tests.harness.faulty:Draws"))
        assert outcome.failure is None
        folder = Path(outcome.config.output_dir)
        assert outcome.energy.joules == pytest.approx(outcome.energy.samples * 0.25)
        assert outcome.energy.joules_per_sample == pytest.approx(0.25)
        assert outcome.energy.window_s < outcome.timings.loadgen_s
        assert "device_energy.json" in outcome.file_sha256
        assert not (folder / "power").exists()

    def test_an_accuracy_run_has_none(self, configure, counters):
        pytest.importorskip("mlperf_loadgen")
        zone(counters, "package-0", 0)
        outcome = supervise.run(configure(backend="tests.harness.faulty:Draws", mode="accuracy"))
        assert outcome.energy is None
        assert "device_energy.json" not in os.listdir(outcome.config.output_dir)

    def test_a_host_without_counters_says_so(self, configure, counters):
        pytest.importorskip("mlperf_loadgen")
        outcome = supervise.run(configure(backend="tests.harness.faulty:Draws"))
        assert outcome.failure is None
        assert outcome.energy.missing == "not available: no RAPL, no NVIDIA GPU"
