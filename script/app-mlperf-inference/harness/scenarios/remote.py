"""Server, and Offline with several requests in flight, on a network SUT: one request per query, never two joined.

The network division forbids the query dispatch library to batch queries (inference rules); the servers batch what
reaches them together. Each sender waits for its answer, so their number is the most requests in flight.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import perf_counter_ns

from harness.recorder import Recorder
from harness.scenarios.batches import Answerer, Batch


class RemoteDispatcher:
    """Issue callback and sender threads; an exception in a sender goes to `on_error`, which must not return."""

    def __init__(
        self, answerers: Sequence[Answerer], recorder: Recorder, on_error: Callable[[BaseException], None]
    ) -> None:
        self._recorder, self._on_error = recorder, on_error
        self._cut = answerers[0].batches
        self._queue: SimpleQueue[tuple[Batch, int] | None] = SimpleQueue()
        self._senders = [
            threading.Thread(target=self._work, args=(one,), name=f"sender-{k}", daemon=True)
            for k, one in enumerate(answerers)
        ]
        for sender in self._senders:
            sender.start()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Queue a query, cut where it has more samples than the batch size."""
        self._recorder.issued += len(ids)
        now = perf_counter_ns()
        for piece in self._cut(ids, indices):
            self._queue.put((piece, now))

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Stop the senders after everything queued was answered."""
        self._queue.put(None)
        for sender in self._senders:
            sender.join()

    def _work(self, answerer: Answerer) -> None:
        try:
            while (item := self._queue.get()) is not None:
                piece, issued_at = item
                answerer.answer(*piece)
                self._recorder.latency(perf_counter_ns() - issued_at)
            self._queue.put(None)  # for the next sender
        except BaseException as error:
            self._on_error(error)
