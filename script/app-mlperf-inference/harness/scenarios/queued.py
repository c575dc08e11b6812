"""Server, and Offline with several workers: queries wait in a queue from which worker threads take batches.

`queue.SimpleQueue` is the cheapest hand-over between Python threads. A Server batch is what has queued up while the
model worked, up to the batch size: no timer, hence no latency added when the load is low.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import Empty, SimpleQueue
from time import perf_counter_ns

from harness.recorder import Recorder
from harness.scenarios.batches import Answerer

_Query = tuple[list[int], list[int], int]


class QueuedDispatcher:
    """Issue callback and worker threads; an exception in a worker goes to `on_error`, which must not return.

    With several workers each is pinned to its own share of the allowed cores, so that their threads do not wander.
    """

    def __init__(
        self,
        answerers: Sequence[Answerer],
        recorder: Recorder,
        on_error: Callable[[BaseException], None],
        *,
        whole_queries: bool = True,
    ) -> None:
        self._recorder, self._on_error, self._whole = recorder, on_error, whole_queries
        self._answerers = answerers
        self._queue: SimpleQueue[_Query | None] = SimpleQueue()
        cores = shares(sorted(os.sched_getaffinity(0)), len(answerers)) if hasattr(os, "sched_getaffinity") else []
        self._workers = [
            threading.Thread(target=self._work, args=(one, cores[k] if cores else []), name=f"worker-{k}", daemon=True)
            for k, one in enumerate(answerers)
        ]
        for worker in self._workers:
            worker.start()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Queue one query (several at once when loadgen coalesces) and return to loadgen."""
        self._recorder.issued += len(ids)
        now = perf_counter_ns()
        if self._whole:
            self._queue.put((ids, indices, now))
            return
        for batch in self._answerers[0].batches(ids, indices):
            self._queue.put((*batch, now))

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Stop the workers after everything queued was answered."""
        self._queue.put(None)
        for worker in self._workers:
            worker.join()

    def _work(self, answerer: Answerer, cores: list[int]) -> None:
        try:
            if len(self._workers) > 1 and cores:
                os.sched_setaffinity(0, cores)  # of this thread; the framework's own threads inherit it
            while (query := self._queue.get()) is not None:
                self._answer(answerer, self._drain(query, answerer.batch_size))
            self._queue.put(None)  # for the next worker
        except BaseException as error:
            self._on_error(error)

    def _drain(self, first: _Query, most: int) -> list[_Query]:
        waiting, samples = [first], len(first[0])
        while samples < most and self._whole:
            try:
                query = self._queue.get_nowait()
            except Empty:
                break
            if query is None:
                self._queue.put(None)
                break
            waiting.append(query)
            samples += len(query[0])
        return waiting

    def _answer(self, answerer: Answerer, queries: list[_Query]) -> None:
        ids = [one for query in queries for one in query[0]]
        indices = [one for query in queries for one in query[1]]
        for batch in answerer.batches(ids, indices):
            answerer.answer(*batch)
        done = perf_counter_ns()
        for query in queries:
            self._recorder.latency(done - query[2])


def shares(cores: list[int], workers: int) -> list[list[int]]:
    """Cut the cores into as many neighbouring shares as there are workers; workers beyond the cores share them."""
    if workers > len(cores):
        return [[cores[k % len(cores)]] for k in range(workers)]
    ends = [round(k * len(cores) / workers) for k in range(workers + 1)]
    return [cores[begin:end] for begin, end in pairwise(ends)]
