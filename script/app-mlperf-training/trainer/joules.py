"""Energy of a training: counters of the processors and GPUs, read again and again and added up.

The counters are those of the inference harness. A training outlasts what a RAPL counter can count (about an hour), so
it must be read in between. This is not power at the wall, which a submission to MLPerf Power needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from harness.energy import Counter
    from trainer.gpugauge import Gpu

NOT_MEASURED = "not measured"
#: counters are brought up to date every 20 to 100 ms, so the power over a shorter time than this says little
PEAK_WINDOW_S = 0.5


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """Joules and watts over ``window_s``, which is the life of the training's processes: start and evaluation too.

    ``sources`` has joules by counter. ``peak_w`` is the highest mean over `PEAK_WINDOW_S` or one look's interval, None
    where the window is shorter. ``estimated`` says that a GPU without an energy counter is among them, whose power was
    sampled. ``missing`` says what is not in the sum, or why there is none: then all numbers are None.
    """

    joules: float | None = None
    mean_w: float | None = None
    peak_w: float | None = None
    window_s: float | None = None
    sources: dict[str, float] = {}
    estimated: bool = False
    missing: str = ""


class PowerIntegral:
    """The energy of a GPU that has no counter: its power at each look, times the time since the look before."""

    wraps_at_j: float | None = None

    def __init__(self, gpu: Gpu) -> None:
        self.name = f"NVML {gpu.name}, power sampled"
        self._gpu, self._joules, self._last = gpu, 0.0, monotonic()

    def read_j(self) -> float:
        """Joules since this was made; raises ValueError where the GPU tells no power."""
        watts = self._gpu.look().power_w
        if watts is None:
            raise ValueError("it tells no power")
        now = monotonic()
        self._joules, self._last = self._joules + watts * (now - self._last), now
        return self._joules


class Joules:
    """Adds up what counters have counted since it was made."""

    def __init__(self, counters: Sequence[Counter], missing: str = "") -> None:
        self._counters = list(counters)
        self._missing = missing if self._counters else f"{NOT_MEASURED}: {missing or 'there is no counter'}"
        self._last = self._read()
        self._began = self._last_at = monotonic()
        self._sums = [0.0 for _ in self._counters]
        self._peak_w: float | None = None
        self._peak_from = (self._began, 0.0)

    def look(self) -> float | None:
        """Read all counters; the mean power in watts since the last look, None where nothing can be said."""
        values, now = self._read(), monotonic()
        if values is None or self._last is None or now <= self._last_at:
            return None
        gained = [_gained(*three) for three in zip(self._counters, self._last, values, strict=True)]
        self._sums = [total + one for total, one in zip(self._sums, gained, strict=True)]
        watts = sum(gained) / (now - self._last_at)
        self._last, self._last_at = values, now
        self._note_peak(now, sum(self._sums))
        return watts

    def _note_peak(self, now: float, joules: float) -> None:
        since, before = self._peak_from
        if now - since >= PEAK_WINDOW_S:
            self._peak_w = max(self._peak_w or 0.0, (joules - before) / (now - since))
            self._peak_from = (now, joules)

    def _read(self) -> list[float] | None:
        if not self._counters:
            return None
        try:
            return [counter.read_j() for counter in self._counters]
        except Exception as error:  # files, NVML's own exceptions, a GPU that fell off the bus
            self._missing = f"{NOT_MEASURED}: a counter could not be read: {error}"
            self._counters = []
            return None

    def energy(self) -> Energy:
        """All of it, up to the last look."""
        window_s = self._last_at - self._began
        if not self._counters or window_s <= 0:
            return Energy(missing=self._missing or f"{NOT_MEASURED}: the training was over before the second look")
        joules = sum(self._sums)
        return Energy(
            joules=joules,
            mean_w=joules / window_s,
            peak_w=self._peak_w,
            window_s=window_s,
            sources=_by_name(self._counters, self._sums),
            estimated=any(isinstance(one, PowerIntegral) for one in self._counters),
            missing=self._missing,
        )


def meter(gpus: Sequence[Gpu], no_gpu: str) -> Joules:
    """A meter of this host's processors and of ``gpus``; ``no_gpu`` says why there are none of these."""
    try:
        energy = _harness_energy()
    except ImportError as error:
        return Joules([], f"the counters cannot be imported: {error}")
    counters, missing = energy.rapl_counters(energy.POWERCAP)
    return Joules([*counters, *(_counter(energy, gpu) for gpu in gpus)], ", ".join(filter(None, (missing, no_gpu))))


def _harness_energy() -> Any:
    """The module, from the script directory beside this one where nobody has put it on the path."""
    beside = str(Path(__file__).parents[2] / "app-mlperf-inference")
    if beside not in sys.path:
        sys.path.append(beside)
    from harness import energy

    return energy


def _counter(energy: Any, gpu: Gpu) -> Counter:
    found, _ = energy.gpu_counters(gpu.uuid, lambda: gpu.nvml)
    counter: Counter = found[0] if found else PowerIntegral(gpu)
    return counter


def _gained(counter: Counter, before: float, now: float) -> float:
    """Joules between two readings of a counter that may have started again."""
    return now - before + (counter.wraps_at_j or 0.0 if now < before else 0.0)


def _by_name(counters: Sequence[Counter], sums: Sequence[float]) -> dict[str, float]:
    """Joules by counter; two of one name get numbers."""
    names: dict[str, float] = {}
    for counter, joules in zip(counters, sums, strict=True):
        twins = sum(one.name == counter.name for one in counters) > 1
        names[f"{counter.name} #{len(names)}" if twins else counter.name] = joules
    return names
