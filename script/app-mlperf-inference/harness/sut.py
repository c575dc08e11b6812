"""The system under test as loadgen sees it, and the guard that no exception ever gets back into loadgen."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from harness.backends.base import Backend
from harness.config import RunConfig
from harness.qsl import SampleLibrary
from harness.recorder import Recorder
from harness.responses import ResponsePool
from harness.scenarios.base import ALL, OFFLINE
from harness.scenarios.inline import InlineDispatcher
from harness.scenarios.server import ServerDispatcher
from harness.tasks.base import Task

OnError = Callable[[BaseException], None]


class Sut:
    """Wires task, backend and scenario together and runs one loadgen test.

    `on_error` gets whatever was raised while answering and must end the process: loadgen cannot be told to stop, and an
    exception that crosses it leaves threads behind that crash at exit.
    """

    def __init__(
        self,
        loadgen: ModuleType,
        config: RunConfig,
        task: Task,
        backend: Backend,
        library: SampleLibrary,
        on_error: OnError,
    ) -> None:
        self._loadgen, self._library, self._on_error = loadgen, library, on_error
        scenario = ALL[config.scenario]
        self.recorder = Recorder(config.batch_size, scenario.latency_source)
        pool = ResponsePool(loadgen, config.batch_size, task.response_dtype, task.response_width)
        parts = (backend, task, library, pool, self.recorder, config.batch_size)
        self._dispatcher: InlineDispatcher | ServerDispatcher
        if scenario.queued:
            self._dispatcher = ServerDispatcher(*parts, on_error)
        else:
            self._dispatcher = InlineDispatcher(*parts, latency_per_batch=scenario is OFFLINE)

    def run(self, settings: object, log_dir: str) -> None:
        """Run the test; loadgen writes its four logs into `log_dir`."""
        loadgen, dispatcher = self._loadgen, self._dispatcher
        sut = loadgen.ConstructFastSUT(self._guarded(dispatcher.issue), dispatcher.flush)
        qsl = self._library.construct(loadgen, self._guarded)
        logs = loadgen.LogSettings()
        logs.enable_trace = False  # on by default; 275 bytes per sample, and 2.5 times the CPU cost
        logs.log_output.outdir = log_dir
        # The last argument: loadgen reads an audit.config from the current directory unless told "".
        loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, "")
        dispatcher.close()
        loadgen.DestroyQSL(qsl)
        loadgen.DestroyFastSUT(sut)

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        on_error = self._on_error

        def guarded(*lists: list[int]) -> None:
            try:
                callback(*lists)
            except BaseException as error:
                on_error(error)

        return guarded
