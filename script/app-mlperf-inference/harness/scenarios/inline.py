"""SingleStream, MultiStream and Offline: the query is answered inside loadgen's issue callback.

loadgen has one query in flight in these scenarios, so a queue could only add a thread hand-over (5 -> 15 us at p99 in
SingleStream). Offline is cut into batches; batch k+1 is submitted before batch k is collected, so that a
backend with an asynchronous device overlaps its input copies with its computing.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from harness.backends.base import Backend
from harness.qsl import SampleLibrary
from harness.recorder import Recorder
from harness.responses import ResponsePool
from harness.tasks.base import Task


class InlineDispatcher:
    """Issue callback of the three scenarios; see `sut.Sut` for the guard around it.

    `latency_per_batch` records the time of each batch (Offline, whose one query is the whole run), not of each query.
    """

    def __init__(
        self,
        backend: Backend,
        task: Task,
        library: SampleLibrary,
        pool: ResponsePool,
        recorder: Recorder,
        batch_size: int,
        latency_per_batch: bool = False,
    ) -> None:
        self._submit, self._collect = backend.submit, backend.collect
        self._encode, self._rows = task.encode, library.rows
        self._complete, self._results = pool.complete, pool.results
        self._recorder, self._batch_size = recorder, batch_size
        self._per_batch = latency_per_batch

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Answer one query, in batches of at most `batch_size` samples."""
        recorder = self._recorder
        recorder.issued += len(ids)
        started = perf_counter_ns()
        if len(ids) <= self._batch_size:
            self._finish(ids, self._submit(self._rows(indices)))
        else:
            self._issue_batches(ids, indices)
        if not self._per_batch:
            recorder.latency(perf_counter_ns() - started)

    def _issue_batches(self, ids: list[int], indices: list[int]) -> None:
        size = self._batch_size
        pending: tuple[list[int], Any] | None = None
        before = perf_counter_ns()
        for begin in range(0, len(ids), size):
            ticket = self._submit(self._rows(indices[begin : begin + size]))
            if pending is not None:
                self._finish(*pending)
            pending = (ids[begin : begin + size], ticket)
            now = perf_counter_ns()
            if self._per_batch and begin:
                self._recorder.latency(now - before)
            before = now
        if pending is not None:
            self._finish(*pending)

    def _finish(self, ids: list[int], ticket: Any) -> None:
        self._encode(self._collect(ticket), self._results, len(ids))
        self._complete(ids)
        self._recorder.completed_batch(len(ids))

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Nothing to stop."""
