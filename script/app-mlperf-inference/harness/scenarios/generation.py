"""Every scenario of a generating task: one thread feeds the engine and hands its tokens to loadgen.

Requests join and leave the engine's batch at any step (continuous batching), so the scenarios differ only in when
queries arrive. Offline is fed the longest prompts first: what is left at the end is short, and the batch stays full.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import perf_counter_ns
from types import ModuleType

from harness.arrays import Array
from harness.engines.base import Engine
from harness.qsl import PromptLibrary
from harness.recorder import Recorder
from harness.responses import RaggedPool
from harness.tasks.base import GenerationTask

_Request = tuple[int, int, int]  # query id, data set index, time of arrival


class GenerationDispatcher:
    """Issue callback and the thread that owns the engine; an exception there goes to `on_error`.

    `first_tokens` reports each first token to loadgen (all scenarios but Offline, inference rules for token latencies).
    """

    def __init__(
        self,
        loadgen: ModuleType,
        engine: Engine,
        task: GenerationTask,
        library: PromptLibrary,
        recorder: Recorder,
        on_error: Callable[[BaseException], None],
        *,
        first_tokens: bool,
    ) -> None:
        self._engine, self._task, self._library = engine, task, library
        self._recorder, self._on_error, self._first_tokens = recorder, on_error, first_tokens
        self._pool = RaggedPool(loadgen, task.token_dtype)
        self._announce = FirstTokens(loadgen, task.token_dtype)
        self._queue: SimpleQueue[list[_Request] | None] = SimpleQueue()
        self._running: dict[int, _Request] = {}
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Queue a query's samples, the longest prompts first."""
        self._recorder.issued += len(ids)
        now = perf_counter_ns()
        requests = [(query_id, index, now) for query_id, index in zip(ids, indices, strict=True)]
        if len(requests) > 1:
            length = dict(zip(indices, self._task.lengths(indices) or [0] * len(indices), strict=True))
            requests.sort(key=lambda request: -length[request[1]])
        self._queue.put(requests)

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Stop the thread after everything queued was answered."""
        self._queue.put(None)
        self._worker.join()

    def _work(self) -> None:
        waiting: deque[_Request] = deque()
        closing = False
        try:
            while waiting or self._running or not closing:
                closing = self._receive(waiting, block=not (waiting or self._running or closing)) or closing
                while waiting and self._engine.room > 0:
                    self._admit(waiting.popleft())
                if self._running:
                    self._advance()
        except BaseException as error:
            self._on_error(error)

    def _receive(self, waiting: deque[_Request], *, block: bool) -> bool:
        """Take what has arrived; True once there will be no more."""
        while True:
            try:
                requests = self._queue.get(block=block)
            except Empty:
                return False
            if requests is None:
                return True
            waiting.extend(requests)
            block = False

    def _admit(self, request: _Request) -> None:
        self._running[request[0]] = request
        self._engine.add(request[0], self._library.prompts[request[1]])

    def _advance(self) -> None:
        finished: list[int] = []
        payloads: list[Array] = []
        counts: list[int] = []
        for event in self._engine.step():
            if self._first_tokens and event.tokens:
                self._announce(event.key, event.tokens[0])
            if event.done:
                finished.append(event.key)
                payloads.append(self._task.encode_tokens(event.tokens, self._running[event.key][1]))
                counts.append(len(event.tokens))  # the payload may be something else than the tokens
        if finished:
            self._finish(finished, payloads, counts)

    def _finish(self, keys: list[int], payloads: list[Array], counts: list[int]) -> None:
        self._pool.complete(keys, payloads, counts)
        self._recorder.completed_batch(len(keys))
        now = perf_counter_ns()
        for key in keys:
            self._announce.forget(key)
            self._recorder.latency(now - self._running.pop(key)[2])


class FirstTokens:
    """Tells loadgen about the first token of each response, once."""

    def __init__(self, loadgen: ModuleType, dtype: str) -> None:
        self._loadgen, self._dtype = loadgen, dtype
        self._seen: set[int] = set()

    def __call__(self, key: int, token: int) -> None:
        """Report `token` unless a first token of `key` was reported before."""
        import numpy as np

        if key in self._seen:
            return
        self._seen.add(key)
        payload = np.array([token], dtype=self._dtype)
        response = self._loadgen.QuerySampleResponse(key, payload.ctypes.data, payload.nbytes)
        self._loadgen.FirstTokenComplete([response])

    def forget(self, key: int) -> None:
        """The response is complete."""
        self._seen.discard(key)
