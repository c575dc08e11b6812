"""The monitor: what it says of processes, of GPUs, of energy, and what it says where it cannot know."""

import csv
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from trainer import gpugauge, joules
from trainer.hostgauge import HostGauge
from trainer.monitor import SERIES, Monitor

from .conftest import WATTS, FakeGpus, configured

BUSY = "import time\nend = time.process_time() + 30\nwhile time.process_time() < end: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


def until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come about within a minute"
        time.sleep(0.02)


def looks(folder: Path) -> list[dict[str, str]]:
    path = folder / SERIES
    return list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []


def monitored(folder: Path, at_least: int = 4, every_s: float = 0.05) -> dict[str, Any]:
    """Of this very process, over some looks."""
    monitor = Monitor(os.getpid(), folder, every_s)
    before = len(looks(folder))
    until(lambda: len(looks(folder)) >= before + at_least)
    return monitor.stop()


def test_a_gpu_of_250_watts(tmp_path: Path, gpus: FakeGpus) -> None:
    found = monitored(configured(tmp_path, device="cuda"))
    energy = found["energy"]
    assert energy["mean_w"] == pytest.approx(WATTS, rel=0.01)
    assert energy["peak_w"] == pytest.approx(WATTS, rel=0.01)
    assert energy["joules"] == pytest.approx(WATTS * energy["window_s"], rel=0.01)
    assert list(energy["sources"]) == ["NVML Imagined 9000"] and not energy["estimated"]
    (gpu,) = found["gpus"]
    assert gpu["util_percent"] == {"mean": 80.0, "max": 80.0}
    assert gpu["temperature_c"]["max"] == 61 and gpu["power_w"]["mean"] == WATTS
    assert gpu["memory_bytes"]["max"] == 3 << 30
    assert looks(tmp_path)[-1]["gpu0_power_w"] == "250" and looks(tmp_path)[-1]["watts"] == "250"


def test_two_gpus_draw_twice_as_much(tmp_path: Path, gpus: FakeGpus) -> None:
    found = monitored(configured(tmp_path, device="cuda", processes=2))
    assert found["energy"]["mean_w"] == pytest.approx(2 * WATTS, rel=0.01)
    assert len(found["energy"]["sources"]) == 2, "two GPUs of one name are two sources"


def test_a_gpu_without_a_counter_is_an_estimate(tmp_path: Path, gpus: FakeGpus) -> None:
    gpus.has_counter = False
    energy = monitored(configured(tmp_path, device="cuda"))["energy"]
    assert energy["mean_w"] == pytest.approx(WATTS, rel=0.01) and energy["estimated"]


def test_the_gpus_of_a_run_are_those_its_ranks_take(tmp_path: Path, gpus: FakeGpus) -> None:
    folder = configured(tmp_path, device="cuda", processes=2)

    def names(**environment: str) -> list[str]:
        return [gpu.uuid for gpu in gpugauge.gpus_of(folder, environment)[0]]

    assert names() == ["GPU-0", "GPU-1"]
    assert names(CUDA_VISIBLE_DEVICES="1,0") == ["GPU-1", "GPU-0"]
    assert names(CUDA_VISIBLE_DEVICES="GPU-1") == ["GPU-1"]
    configured(tmp_path, device="cuda:1")
    assert names() == ["GPU-1"]


def test_without_a_gpu_and_rapl_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness import energy as counters

    monkeypatch.setattr(counters, "POWERCAP", tmp_path / "none")
    found = monitored(configured(tmp_path))
    assert found["energy"]["joules"] is found["energy"]["mean_w"] is found["energy"]["peak_w"] is None
    assert found["energy"]["missing"] == "not measured: no RAPL, the training used no GPU"
    assert not found["gpus"] and found["gpu_missing"] == "the training used no GPU"
    assert {row["watts"] for row in looks(tmp_path)} == {""}


def test_a_host_without_a_driver_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    found, why = gpugauge.gpus_of(configured(tmp_path, device="cuda"), {})
    assert found == [] and why.startswith("NVML cannot be read: ")


def test_descendants_count(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True) as process:
        monitor = Monitor(process.pid, configured(tmp_path), 0.1)
        until(lambda: any(float(row["cpu_percent"] or 0) > 5 for row in looks(tmp_path)))
        os.killpg(process.pid, 9)
    found = monitor.stop()
    assert found["cpu_percent"]["max"] > 5, "only the child of the child computes"
    assert 4 << 20 < found["rss_max_bytes"] < 1 << 30
    assert found["host_memory_used_max_bytes"] < found["host_memory_bytes"]
    assert not found["trouble"], "the end of the process is no trouble"


def test_processor_time_of_the_ended_is_kept() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        gauge = HostGauge(process.pid)
        until(lambda: gauge._tree.usage().cpu_s > 0.1)
        process.kill()
    assert gauge._tree.usage().cpu_s > 0.1 and gauge._tree.usage().rss_bytes == 0


def test_it_ends_with_the_run(tmp_path: Path) -> None:
    monitored(configured(tmp_path), at_least=1)
    assert "monitor" not in {thread.name for thread in threading.enumerate()}


def test_every_look_is_on_disk_at_once_and_a_resumed_run_goes_on_in_the_same_file(tmp_path: Path) -> None:
    monitored(configured(tmp_path), at_least=2)
    monitored(tmp_path, at_least=2)
    text = (tmp_path / SERIES).read_text()
    assert text.count("unix") == 1 and len(looks(tmp_path)) >= 4


def test_zero_is_never(tmp_path: Path) -> None:
    assert Monitor(os.getpid(), configured(tmp_path), 0).stop() == {}
    assert not (tmp_path / SERIES).exists()


def test_what_the_monitor_meets_does_not_end_the_training(tmp_path: Path) -> None:
    folder = configured(tmp_path)
    (folder / SERIES).mkdir()
    monitor = Monitor(os.getpid(), folder, 0.05)
    monitor._thread.join(60)
    found = monitor.stop()
    assert "sampling ended after 0 looks: IsADirectoryError" in found["trouble"]
    assert found["rss_max_bytes"] is None and found["cpu_percent"] == {"mean": None, "max": None}


class Counter:
    """One that gives what it was told to."""

    name = "a counter"
    wraps_at_j: float | None = 100.0

    def __init__(self, *readings: float | Exception) -> None:
        self._readings = iter(readings)

    def read_j(self) -> float:
        value = next(self._readings)
        if isinstance(value, Exception):
            raise value
        return value


def steps(monkeypatch: pytest.MonkeyPatch, *times_s: float) -> None:
    times = iter(times_s)
    monkeypatch.setattr(joules, "monotonic", lambda: next(times))


def test_a_counter_that_goes_round_during_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, 0, 1, 2, 3)
    meter = joules.Joules([Counter(80, 95, 10, 30)])
    assert [meter.look(), meter.look(), meter.look()] == [15, 15, 20]
    assert meter.energy() == joules.Energy(joules=50, mean_w=50 / 3, peak_w=20, window_s=3, sources={"a counter": 50.0})


def test_a_counter_that_fails_leaves_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, 0, 1, 2)
    meter = joules.Joules([Counter(80, 95, OSError("gone"))])
    assert [meter.look(), meter.look()] == [15, None]
    assert meter.energy().joules is None
    assert meter.energy().missing == "not measured: a counter could not be read: gone"


def test_a_look_too_soon_makes_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, 0, 1, 1.01)
    meter = joules.Joules([Counter(0, 10, 12)])
    meter.look(), meter.look()
    assert meter.energy().peak_w == 10, "2 J within 10 ms are the counter's own rhythm"
