"""The query sample library: which samples are in memory, and at which row."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import ModuleType

from harness.backends.base import Backend
from harness.tasks.base import Task

Guard = Callable[[Callable[..., None]], Callable[..., None]]
CHUNK = 64  # samples normalised at a time: bounds the float32 copy beside the staged one to about 40 MB for ImageNet


class SampleLibrary:
    """Loads samples in the order loadgen names them, so that consecutive queries read consecutive rows."""

    def __init__(self, task: Task, backend: Backend, performance_sample_count: int) -> None:
        self._task, self._backend = task, backend
        self.performance_sample_count = performance_sample_count
        self._row_of: list[int] = [-1] * task.count
        self.load_seconds = 0.0

    def load(self, indices: list[int]) -> None:
        """LoadSamplesToRam: prepare the samples and hand them to the backend (untimed by loadgen)."""
        started = perf_counter()
        unique = list(dict.fromkeys(indices))  # MultiStream pads the list with repeats of its first samples
        for row, index in enumerate(unique):
            self._row_of[index] = row
        chunks = (self._task.load(unique[begin : begin + CHUNK]) for begin in range(0, len(unique), CHUNK))
        self._backend.stage(len(unique), self._task.sample_shape, chunks)
        self.load_seconds += perf_counter() - started

    def unload(self, indices: list[int]) -> None:
        """UnloadSamplesFromRam."""
        self._backend.unstage()
        for index in indices:
            self._row_of[index] = -1

    def rows(self, indices: list[int]) -> list[int]:
        """Rows of the staged set for data set indices."""
        return list(map(self._row_of.__getitem__, indices))

    def construct(self, loadgen: ModuleType, guard: Guard) -> int:
        """Register with loadgen; the handle must be given to DestroyQSL after the test."""
        handle: int = loadgen.ConstructQSL(
            self._task.count, self.performance_sample_count, guard(self.load), guard(self.unload)
        )
        return handle
