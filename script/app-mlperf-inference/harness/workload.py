"""Task and model brought together: what is loaded, warmed up, staged and asked.

There are two kinds. A tensor workload answers a batch at once (`Backend`), a generation workload token by token
(`Engine`). Everything around them is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

import msgspec

from harness import memory, registry
from harness.backends.base import Backend, Execution
from harness.config import RunConfig
from harness.engines.base import Engine
from harness.qsl import Library, PromptLibrary, SampleLibrary
from harness.recorder import Recorder, SharedRecorder
from harness.responses import pool_for
from harness.scenarios import ALL
from harness.scenarios.batches import Answerer
from harness.scenarios.generation import GenerationDispatcher
from harness.scenarios.inline import InlineDispatcher
from harness.scenarios.queued import QueuedDispatcher
from harness.scenarios.remote import RemoteDispatcher
from harness.tasks.base import GenerationTask, Task

OnError = Callable[[BaseException], None]


class Dispatcher(Protocol):
    """What loadgen calls."""

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Take a query's samples."""
        ...

    def flush(self) -> None:
        """All queries were issued."""
        ...

    def close(self) -> None:
        """The test is over."""
        ...


class Workload(Protocol):
    """One task on one model."""

    def load(self) -> dict[str, Any]:
        """Load the model and return its facts."""
        ...

    notes: tuple[str, ...]

    def warm_up(self) -> None:
        """Answer real samples, untimed; what had to be changed for that is in `notes` afterwards."""
        ...

    def execution(self) -> Execution:
        """What executed; valid after `warm_up`."""
        ...

    def library(self, performance_sample_count: int) -> Library:
        """The samples for loadgen."""
        ...

    def recorder(self) -> Recorder:
        """The clock that fits the scenario."""
        ...

    def dispatcher(
        self, loadgen: ModuleType, library: Any, recorder: Recorder, on_error: OnError, *, token_latencies: bool
    ) -> Dispatcher:
        """The issue callback."""
        ...

    @property
    def sut_name(self) -> Callable[[], str] | None:
        """Asks a network SUT for its name; None for a model in this process."""
        ...


class TensorWorkload:
    """Batches of tensors."""

    def __init__(self, config: RunConfig, task: Task) -> None:
        self._config, self._task = config, task
        self._backend: Backend = registry.resolve("backend", config.backend)(config, task.reduction)
        scenario = ALL[config.scenario]
        self._queued = scenario.queued or (config.workers > 1 and scenario.name == "Offline")
        self.notes: tuple[str, ...] = ()

    def load(self) -> dict[str, Any]:
        """Load the model."""
        return self._backend.load()

    def warm_up(self) -> None:
        """Answer batches; where the memory does not suffice, halve the batch and say so in `notes`."""
        asked = self._config.batch_size
        while True:
            try:
                self._answer_all_sizes(self._config.batch_size)
                break
            except Exception as error:
                size = self._config.batch_size // 2
                if size < 1 or not memory.is_exhausted(error):
                    raise
                self._config = msgspec.structs.replace(self._config, batch_size=size)
                self.notes = (f"out of memory: batch size reduced from {asked} to {size}",)
            self._backend.unstage()
            memory.release()
        if self._config.batch_size < asked:
            print(self.notes[0], flush=True)
        self._task.check_outputs(self._backend.execution().output_shapes)

    def _answer_all_sizes(self, size: int) -> None:
        """Whole batches first, then the odd sizes that occur too: compilers and cuDNN specialise on the batch size."""
        library = SampleLibrary(self._task, self._backend, 0)
        indices = list(range(min(size, self._task.count)))
        library.load(indices)
        for count in [size] * max(1, self._config.warmup_batches) + [max(1, size // 2), 1]:
            rows = [k % len(indices) for k in range(count)]
            longest = max(library.lengths) if library.lengths else None
            self._backend.collect(self._backend.submit(rows, longest))
        library.unload(indices)

    def execution(self) -> Execution:
        """As the backend says."""
        return self._backend.execution()

    def library(self, performance_sample_count: int) -> SampleLibrary:
        """Samples staged on the backend."""
        return SampleLibrary(self._task, self._backend, performance_sample_count)

    def recorder(self) -> Recorder:
        """Shared where several workers write."""
        size, source = self._config.batch_size, ALL[self._config.scenario].latency_source
        if self._config.workers > 1 and self._queued:
            return SharedRecorder(size, "query received to batch completed, harness clock")
        return Recorder(size, source)

    def dispatcher(
        self, loadgen: ModuleType, library: Any, recorder: Recorder, on_error: OnError, *, token_latencies: bool
    ) -> Dispatcher:
        """Inline where loadgen waits for each answer anyway, else a queue with workers."""
        config, task = self._config, self._task

        def answerer() -> Answerer:
            pool = pool_for(loadgen, config.batch_size, task.response_dtype, task.response_width)
            return Answerer(self._backend, task, library, pool, recorder, config.batch_size)

        if not self._queued:
            return InlineDispatcher(answerer(), recorder, latency_per_batch=config.scenario == "Offline")
        answerers = [answerer() for _ in range(config.workers)]
        if config.sut_servers:
            return RemoteDispatcher(answerers, recorder, on_error)
        return QueuedDispatcher(answerers, recorder, on_error, whole_queries=config.scenario != "Offline")

    @property
    def sut_name(self) -> Callable[[], str] | None:
        """As the backend says."""
        return getattr(self._backend, "sut_name", None)


class GenerationWorkload:
    """Tokens."""

    notes: tuple[str, ...] = ()

    def __init__(self, config: RunConfig, task: GenerationTask) -> None:
        self._config, self._task = config, task
        self._engine: Engine = registry.resolve("engine", config.backend)(config)

    def load(self) -> dict[str, Any]:
        """Load the model."""
        return self._engine.load()

    def warm_up(self) -> None:
        """Answer the first prompt."""
        self._engine.warm_up(self._task.prompt(0))

    def execution(self) -> Execution:
        """As the engine says."""
        return self._engine.execution()

    def library(self, performance_sample_count: int) -> PromptLibrary:
        """Prompts in host memory."""
        return PromptLibrary(self._task, performance_sample_count)

    def recorder(self) -> Recorder:
        """One thread completes everything, in no fixed batches."""
        source = ALL["Server"].latency_source
        return Recorder(self._config.batch_size, source)

    def dispatcher(
        self, loadgen: ModuleType, library: Any, recorder: Recorder, on_error: OnError, *, token_latencies: bool
    ) -> Dispatcher:
        """The engine's own thread in every scenario."""
        first = token_latencies and self._config.scenario != "Offline"
        return GenerationDispatcher(loadgen, self._engine, self._task, library, recorder, on_error, first_tokens=first)

    @property
    def sut_name(self) -> Callable[[], str] | None:
        """As the engine says."""
        return getattr(self._engine, "sut_name", None)


def workload_for(config: RunConfig, task: Any) -> Workload:
    """The workload that fits the task; raises HarnessError of kind `config` for an unknown backend or engine."""
    return GenerationWorkload(config, task) if task.generates else TensorWorkload(config, task)
