"""Device energy of a measured run: the difference of two counter readings, nothing in between.

Counters: RAPL of the processor packages and their memory (Linux powercap), NVML of the GPU that executed. zeus does the
same and more, and pulls pandas, scikit-learn and pydantic for it; two counters need eighty lines.
This is not MLPerf power, which is the whole system's at the wall (inference rules, power).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from harness.outcome import Energy, EnergySource

POWERCAP = Path("/sys/class/powercap")
FILE_NAME = "device_energy.json"
LABEL = "device energy, not an MLPerf power result"

_UJ, _MJ = 1e-6, 1e-3


class Counter(Protocol):
    """A count of energy that only rises, until it starts again."""

    @property
    def name(self) -> str:
        """What it counts."""
        ...

    @property
    def wraps_at_j(self) -> float | None:
        """Where it starts again from 0; None for never."""
        ...

    def read_j(self) -> float:
        """Joules since some time in the past; raises an exception where that fails."""
        ...


@dataclass(frozen=True)
class Rapl:
    """One powercap zone: a processor package, or its memory."""

    name: str
    zone: Path
    wraps_at_j: float | None

    def read_j(self) -> float:
        """From energy_uj."""
        return int((self.zone / "energy_uj").read_text()) * _UJ


class Nvml:
    """The energy counter of one GPU, Volta or newer. Untested on hardware."""

    wraps_at_j: float | None = None

    def __init__(self, nvml: Any, uuid: str) -> None:
        self._nvml = nvml
        nvml.nvmlInit()
        self._handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        self.name = f"NVML {nvml.nvmlDeviceGetName(self._handle)}"

    def read_j(self) -> float:
        """Since the driver was loaded."""
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) * _MJ


def rapl_counters(powercap: Path) -> tuple[list[Counter], str]:
    """The packages and their memory, each once, and why there are none.

    The platform's own zone (psys) holds the packages already, and the mmio zones repeat them.
    """
    found: list[Counter] = []
    try:
        for zone in sorted(powercap.glob("intel-rapl:*")):
            name = (zone / "name").read_text().strip()
            if name.startswith("package") or name == "dram":
                (zone / "energy_uj").read_text()
                limit = int((zone / "max_energy_range_uj").read_text()) * _UJ
                found.append(Rapl(f"RAPL {name}", zone, limit or None))
    except PermissionError:
        return [], "RAPL may be read by root only"
    except (OSError, ValueError) as error:
        return [], f"RAPL cannot be read: {error}"
    return found, "" if found else "no RAPL"


def gpu_counters(uuid: str | None, load: Callable[[], Any]) -> tuple[list[Counter], str]:
    """The GPU's counter, and why there is none. A run on the CPU has none."""
    if not uuid:
        return [], "no NVIDIA GPU"
    try:
        counter = Nvml(load(), uuid)
        counter.read_j()
    except Exception as error:
        return [], f"the GPU's energy counter cannot be read: {error}"
    return [counter], ""


def _import_nvml() -> Any:
    import pynvml

    return pynvml


class Meter:
    """Reads every counter when the measured part begins and when it ends; both outside of what loadgen measures."""

    def __init__(self, counters: Iterable[Counter], missing: str = "") -> None:
        self._counters = tuple(counters)
        self._missing = missing
        self._begin: list[float] | None = None
        self._end: list[float] | None = None
        self._times_s = (0.0, 0.0)

    @classmethod
    def open(cls, gpu_uuid: str | None, load_nvml: Callable[[], Any] = _import_nvml) -> Meter:
        """A meter of what this host has, and of the GPU that executes."""
        on_cpu, no_rapl = rapl_counters(POWERCAP)
        on_gpu, no_gpu = gpu_counters(gpu_uuid, load_nvml)
        return cls((*on_cpu, *on_gpu), ", ".join(filter(None, (no_rapl, no_gpu))))

    def begin(self) -> None:
        """The samples are loaded, the test begins."""
        self._begin = self._read()
        self._times_s = (time.monotonic(), 0.0)

    def end(self) -> None:
        """The test is over."""
        if self._begin is not None and self._end is None:
            self._times_s = (self._times_s[0], time.monotonic())
            self._end = self._read()

    def _read(self) -> list[float] | None:
        try:
            return [counter.read_j() for counter in self._counters]
        except Exception as error:
            self._missing = f"a counter could not be read: {error}"
            return None

    def reading(self, samples: int, folder: Path) -> Energy:
        """The energy between begin and end, per sample of `samples`, kept in `folder`; where there is none, why."""
        found = self._reading(samples)
        if found.joules is not None:
            text = msgspec.json.format(msgspec.json.encode(found), indent=1)
            (folder / FILE_NAME).write_bytes(text + b"\n")
        return found

    def _reading(self, samples: int) -> Energy:
        window_s = self._times_s[1] - self._times_s[0]
        if not self._counters or self._begin is None or self._end is None or window_s <= 0:
            return Energy(label=LABEL, missing=f"not available: {self._missing or 'the test did not end'}")
        pairs = zip(self._counters, self._begin, self._end, strict=True)
        sources = tuple(_source(counter, first, last, window_s) for counter, first, last in pairs)
        joules = sum(one.joules for one in sources)
        return Energy(
            label=LABEL,
            missing=self._missing,
            sources=sources,
            joules=joules,
            mean_watts=joules / window_s,
            window_s=window_s,
            samples=samples,
            joules_per_sample=joules / samples if samples else None,
        )


def _source(counter: Counter, first: float, last: float, window_s: float) -> EnergySource:
    limit = counter.wraps_at_j
    wrapped = last < first and limit is not None
    joules = last - first + (limit if wrapped and limit is not None else 0.0)
    # A counter that went round twice looks as if it had not: true below this draw only.
    return EnergySource(name=counter.name, joules=joules, true_below_watts=limit / window_s if limit else None)


def describe(energy: Energy) -> str:
    """One line for people."""
    if energy.joules is None:
        return energy.missing
    per_sample = f"{energy.joules_per_sample:.4g} J/sample, " if energy.joules_per_sample is not None else ""
    sources = ", ".join(one.name for one in energy.sources)
    return f"{per_sample}{energy.mean_watts:.4g} W over {energy.window_s:.4g} s ({sources}; {energy.label})"
