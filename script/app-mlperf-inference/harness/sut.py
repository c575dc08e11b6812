"""The system under test as loadgen sees it, and the guard that no exception ever gets back into loadgen."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from harness.qsl import Library
from harness.workload import Dispatcher, OnError


class Sut:
    """Runs one loadgen test.

    `on_error` gets whatever was raised while answering and must end the process: loadgen cannot be told to stop, and an
    exception that crosses it leaves threads behind that crash at exit. A `name` makes it a network SUT, which
    the log then names.
    """

    def __init__(
        self,
        loadgen: ModuleType,
        dispatcher: Dispatcher,
        library: Library,
        on_error: OnError,
        name: Callable[[], str] | None = None,
    ) -> None:
        self._loadgen, self._dispatcher = loadgen, dispatcher
        self._library, self._on_error, self._name = library, on_error, name

    def run(self, settings: object, log_dir: str, audit_file: str = "") -> None:
        """Run the test; loadgen writes its four logs into `log_dir` and reads `audit_file`, if there is one."""
        loadgen, dispatcher = self._loadgen, self._dispatcher
        sut, destroy = self._construct()
        qsl = self._library.construct(loadgen, self._guarded)
        logs = loadgen.LogSettings()
        logs.enable_trace = False  # on by default; 275 bytes per sample, and 2.5 times the CPU cost
        logs.log_output.outdir = log_dir
        # The last argument: loadgen reads an audit.config from the current directory unless told "".
        loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, audit_file)
        dispatcher.close()
        loadgen.DestroyQSL(qsl)
        destroy(sut)

    def _construct(self) -> tuple[int, Callable[[int], None]]:
        loadgen, dispatcher = self._loadgen, self._dispatcher
        if self._name is None:
            fast: int = loadgen.ConstructFastSUT(self._guarded(dispatcher.issue), dispatcher.flush)
            return fast, loadgen.DestroyFastSUT
        # Only this kind of SUT can say its name, and it takes samples as objects.
        issue = self._guarded(dispatcher.issue)

        def issue_samples(samples: list[Any]) -> None:
            issue([one.id for one in samples], [one.index for one in samples])

        name = self._name()
        dispatcher_library: int = loadgen.ConstructQDL(issue_samples, dispatcher.flush, lambda: name)
        return dispatcher_library, loadgen.DestroyQDL

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        on_error = self._on_error

        def guarded(*lists: list[int]) -> None:
            try:
                callback(*lists)
            except BaseException as error:
                on_error(error)

        return guarded
