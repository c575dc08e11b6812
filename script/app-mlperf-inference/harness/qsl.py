"""The query sample library: which samples are in memory, and at which row."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import ModuleType

from harness.backends.base import Backend
from harness.tasks.base import GenerationTask, Prompt, Task

Guard = Callable[[Callable[..., None]], Callable[..., None]]
CHUNK = 64  # samples prepared at a time: bounds the float32 copy beside the staged one to about 40 MB for ImageNet


def _nothing() -> None:
    pass


class Library:
    """What loadgen needs of a library: counts, and callbacks before and after the measured part."""

    def __init__(self, total: int, performance_sample_count: int) -> None:
        self._total = total
        self.performance_sample_count = performance_sample_count
        self.load_seconds = 0.0
        self.on_loaded: Callable[[], None] = _nothing  # called when all is ready, before loadgen starts its clock
        self.on_finished: Callable[[], None] = _nothing  # called when loadgen has stopped it

    def load(self, indices: list[int]) -> None:
        """LoadSamplesToRam (untimed by loadgen)."""
        started = perf_counter()
        self._load(list(dict.fromkeys(indices)))  # MultiStream pads the list with repeats of its first samples
        self.load_seconds += perf_counter() - started

    def unload(self, indices: list[int]) -> None:
        """UnloadSamplesFromRam."""
        raise NotImplementedError

    def _load(self, unique: list[int]) -> None:
        raise NotImplementedError

    def construct(self, loadgen: ModuleType, guard: Guard) -> int:
        """Register with loadgen; the handle must be given to DestroyQSL after the test."""

        def load(indices: list[int]) -> None:
            self.load(indices)
            self.on_loaded()

        def unload(indices: list[int]) -> None:
            self.on_finished()
            self.unload(indices)

        handle: int = loadgen.ConstructQSL(self._total, self.performance_sample_count, guard(load), guard(unload))
        return handle


class SampleLibrary(Library):
    """Stages samples in the order loadgen names them, so that consecutive queries read consecutive rows."""

    def __init__(self, task: Task, backend: Backend, performance_sample_count: int) -> None:
        super().__init__(task.count, performance_sample_count)
        self._task, self._backend = task, backend
        self._row_of: list[int] = [-1] * task.count
        self.lengths: list[int] | None = None  # per row

    def _load(self, unique: list[int]) -> None:
        for row, index in enumerate(unique):
            self._row_of[index] = row
        self.lengths = self._task.lengths(unique)
        chunks = (self._task.load(unique[begin : begin + CHUNK]) for begin in range(0, len(unique), CHUNK))
        self._backend.stage(len(unique), self._task.columns, chunks)

    def unload(self, indices: list[int]) -> None:
        """Forget the staged samples."""
        self._backend.unstage()
        for index in indices:
            self._row_of[index] = -1

    def rows(self, indices: list[int]) -> list[int]:
        """Rows of the staged set for data set indices."""
        return list(map(self._row_of.__getitem__, indices))


class PromptLibrary(Library):
    """Prompts by data set index."""

    def __init__(self, task: GenerationTask, performance_sample_count: int) -> None:
        super().__init__(task.count, performance_sample_count)
        self._task = task
        self.prompts: dict[int, Prompt] = {}

    def _load(self, unique: list[int]) -> None:
        self.prompts.update((index, self._task.prompt(index)) for index in unique)

    def unload(self, indices: list[int]) -> None:
        """Forget the prompts."""
        for index in indices:
            self.prompts.pop(index, None)
