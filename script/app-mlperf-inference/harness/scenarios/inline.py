"""SingleStream, MultiStream and Offline: the query is answered inside loadgen's issue callback.

loadgen has one query in flight in these scenarios, so a queue could only add a thread hand-over (5 -> 15 us at p99 in
SingleStream). Offline is cut into batches; batch k+1 is submitted before batch k is collected, so that a
backend with an asynchronous device overlaps its input copies with its computing.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from harness.recorder import Recorder
from harness.scenarios.batches import Answerer, Batch


class InlineDispatcher:
    """Issue callback of the three scenarios; see `sut.Sut` for the guard around it.

    `latency_per_batch` records the time of each batch (Offline, whose one query is the whole run), not of each query.
    """

    def __init__(self, answerer: Answerer, recorder: Recorder, latency_per_batch: bool = False) -> None:
        self._answerer, self._recorder = answerer, recorder
        self._per_batch = latency_per_batch

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Answer one query, in batches of at most `batch_size` samples."""
        recorder, answerer = self._recorder, self._answerer
        recorder.issued += len(ids)
        started = perf_counter_ns()
        if len(ids) <= answerer.batch_size:
            answerer.answer(ids, indices)
        else:
            self._issue_batches(ids, indices)
        if not self._per_batch:
            recorder.latency(perf_counter_ns() - started)

    def _issue_batches(self, ids: list[int], indices: list[int]) -> None:
        answerer = self._answerer
        pending: tuple[Batch, Any] | None = None
        before = 0
        for batch in answerer.batches(ids, indices):
            ticket = answerer.submit(batch)
            if pending is not None:
                answerer.finish(*pending)
            pending = (batch, ticket)
            now = perf_counter_ns()
            if self._per_batch and before:
                self._recorder.latency(now - before)
            before = now
        if pending is not None:
            answerer.finish(*pending)

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Nothing to stop."""
