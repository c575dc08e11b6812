"""What the host did while the ranks trained, sampled in the parent: the training process pays nothing for it.

``monitor.csv`` has one line per look and is whole up to the last look at any time; a resumed training goes on in it.
"""

from __future__ import annotations

import csv
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import msgspec

from trainer.gpugauge import Gpu, GpuState, gpus_of
from trainer.hostgauge import HostGauge, HostState
from trainer.joules import Energy, meter

SERIES = "monitor.csv"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Mean and maximum over the looks; None where there was none."""

    mean: float | None = None
    max: float | None = None


class GpuSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU over the whole training."""

    name: str
    util_percent: Spread
    memory_bytes: Spread
    temperature_c: Spread
    power_w: Spread


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """The summary in a result. Units as in `HostState`, `GpuState` and `Energy`.

    ``own_cpu_s`` is the processor time that the sampling itself took. ``gpu_missing`` says why ``gpus`` is empty,
    ``trouble`` what went wrong while sampling.
    """

    every_s: float
    samples: int
    window_s: float
    own_cpu_s: float
    cpu_percent: Spread
    host_cpu_percent: Spread
    rss_max_bytes: int | None
    host_memory_bytes: int | None
    host_memory_used_max_bytes: int | None
    disk_read_bytes: int | None
    disk_written_bytes: int | None
    gpus: tuple[GpuSummary, ...] = ()
    gpu_missing: str = ""
    energy: Energy
    trouble: str = ""


@dataclass
class _Track:
    """Adds up one column."""

    count: int = 0
    total: float = 0.0
    highest: float = 0.0

    def add(self, value: float | None) -> None:
        if value is None:
            return
        self.highest = max(self.highest, value) if self.count else value
        self.count, self.total = self.count + 1, self.total + value

    def spread(self) -> Spread:
        return Spread(mean=self.total / self.count, max=self.highest) if self.count else Spread()


class Monitor:
    """Samples the processes below ``pid`` and their host every ``every_s`` seconds (0: never) until `stop`."""

    def __init__(self, pid: int, folder: Path, every_s: float) -> None:
        self._pid, self._path, self._every_s = pid, folder / SERIES, every_s
        self._gpus, self._no_gpu = gpus_of(folder, os.environ) if every_s else ([], "")
        self._tracks: dict[str, _Track] = {}
        self._last: HostState | None = None
        self._memory_bytes: int | None = None
        self._samples, self._own_cpu_s, self._trouble = 0, 0.0, ""
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="monitor", daemon=True)
        if every_s:
            self._joules = meter(self._gpus, self._no_gpu)
            self._thread.start()

    def stop(self) -> dict[str, Any]:
        """End the sampling; the summary that the result keeps, `Monitored` as a dictionary, empty without sampling."""
        if not self._every_s:
            return {}
        self._ended.set()
        self._thread.join()
        self._joules.look()
        summary: dict[str, Any] = msgspec.to_builtins(self._summary())
        return summary

    def _watch(self) -> None:
        try:
            gauge = HostGauge(self._pid)
            self._memory_bytes = gauge.memory_bytes
            with self._path.open("a", newline="", encoding="utf-8") as file:
                self._sample(gauge, file)
                while not self._ended.wait(self._every_s):
                    self._sample(gauge, file)
        except Exception as error:  # whatever the monitor meets, the training goes on
            self._trouble = f"sampling ended after {self._samples} looks: {type(error).__name__}: {error}"
        self._own_cpu_s = time.thread_time()

    def _sample(self, gauge: HostGauge, file: TextIO) -> None:
        watts = self._joules.look()
        host, gpus = gauge.look(), [gpu.look() for gpu in self._gpus]
        now = {"unix": round(time.time(), 3), "seconds": round(time.monotonic() - self._began, 3)}
        values: dict[str, float | None] = {**asdict(host), "watts": watts, **_columns(gpus)}
        for name, value in values.items():
            self._tracks.setdefault(name, _Track()).add(value)
        self._samples, self._last = self._samples + 1, host
        writer = csv.writer(file)
        if not file.tell():
            writer.writerow([*now, *values])
        writer.writerow([*now.values(), *map(_cell, values.values())])
        file.flush()

    def _summary(self) -> Monitored:
        return Monitored(
            every_s=self._every_s,
            samples=self._samples,
            window_s=time.monotonic() - self._began,
            own_cpu_s=self._own_cpu_s,
            cpu_percent=self._spread("cpu_percent"),
            host_cpu_percent=self._spread("host_cpu_percent"),
            rss_max_bytes=self._most("rss_bytes"),
            host_memory_bytes=self._memory_bytes,
            host_memory_used_max_bytes=self._most("host_memory_bytes"),
            disk_read_bytes=self._last.disk_read_bytes if self._last else None,
            disk_written_bytes=self._last.disk_written_bytes if self._last else None,
            gpus=tuple(self._gpu(index, gpu) for index, gpu in enumerate(self._gpus)),
            gpu_missing=self._no_gpu,
            energy=self._joules.energy(),
            trouble=self._trouble,
        )

    def _gpu(self, index: int, gpu: Gpu) -> GpuSummary:
        return GpuSummary(
            name=gpu.name,
            util_percent=self._spread(f"gpu{index}_util_percent"),
            memory_bytes=self._spread(f"gpu{index}_memory_bytes"),
            temperature_c=self._spread(f"gpu{index}_temperature_c"),
            power_w=self._spread(f"gpu{index}_power_w"),
        )

    def _spread(self, column: str) -> Spread:
        return self._tracks.get(column, _Track()).spread()

    def _most(self, column: str) -> int | None:
        highest = self._spread(column).max
        return None if highest is None else int(highest)


def _columns(gpus: list[GpuState]) -> dict[str, float | None]:
    return {f"gpu{index}_{name}": value for index, gpu in enumerate(gpus) for name, value in asdict(gpu).items()}


def _cell(value: float | None) -> str:
    """Text that reads back close enough for a plot; empty for what was not told."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.4g}"
