"""Server: queries arrive at random times; one worker drains a queue and answers what is waiting as one batch.

`queue.SimpleQueue` is the cheapest hand-over between Python threads. A batch is what has queued up while the model
worked, up to `batch_size`: no timer, hence no latency added when the load is low.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import perf_counter_ns

from harness.backends.base import Backend
from harness.qsl import SampleLibrary
from harness.recorder import Recorder
from harness.responses import ResponsePool
from harness.tasks.base import Task

_Query = tuple[list[int], list[int], int]


class ServerDispatcher:
    """Issue callback and worker thread; an exception in the worker is handed to `on_error`, which must not return."""

    def __init__(
        self,
        backend: Backend,
        task: Task,
        library: SampleLibrary,
        pool: ResponsePool,
        recorder: Recorder,
        batch_size: int,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._backend, self._task, self._library = backend, task, library
        self._pool, self._recorder, self._batch_size = pool, recorder, batch_size
        self._queue: SimpleQueue[_Query | None] = SimpleQueue()
        self._on_error = on_error
        self._worker = threading.Thread(target=self._work, name="server-worker", daemon=True)
        self._worker.start()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Queue one query (several at once when loadgen coalesces) and return to loadgen."""
        self._recorder.issued += len(ids)
        self._queue.put((ids, indices, perf_counter_ns()))

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Stop the worker after everything queued was answered."""
        self._queue.put(None)
        self._worker.join()

    def _work(self) -> None:
        try:
            while (query := self._queue.get()) is not None:
                if not self._answer(self._drain(query)):
                    return
        except BaseException as error:
            self._on_error(error)

    def _drain(self, first: _Query) -> list[_Query | None]:
        waiting: list[_Query | None] = [first]
        samples = len(first[0])
        while samples < self._batch_size:
            try:
                query = self._queue.get_nowait()
            except Empty:
                break
            waiting.append(query)
            if query is None:
                break
            samples += len(query[0])
        return waiting

    def _answer(self, waiting: list[_Query | None]) -> bool:
        """Answer all drained queries; False once the stop mark was among them."""
        queries = [query for query in waiting if query is not None]
        ids = [one for query in queries for one in query[0]]
        indices = [one for query in queries for one in query[1]]
        for begin in range(0, len(ids), self._batch_size):
            self._infer(ids[begin : begin + self._batch_size], indices[begin : begin + self._batch_size])
        done = perf_counter_ns()
        for query in queries:
            self._recorder.latency(done - query[2])
        return len(queries) == len(waiting)

    def _infer(self, ids: list[int], indices: list[int]) -> None:
        outputs = self._backend.collect(self._backend.submit(self._library.rows(indices)))
        self._task.encode(outputs, self._pool.results, len(ids))
        self._pool.complete(ids)
        self._recorder.completed_batch(len(ids))
