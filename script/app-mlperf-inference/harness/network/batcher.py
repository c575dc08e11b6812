"""The server's one model thread: joins the requests that wait into a batch, and hands each its share of the answers.

Batching is the server's business alone: the query dispatch library may send nothing but whole queries (network
division). A batch is what has queued up while the model worked, up to the batch size; nobody waits for company.
Each batch is staged, inferred and forgotten, so no sample or answer outlives its request.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, cast

from harness.arrays import Array
from harness.backends.base import Backend, Execution
from harness.network.frame import Frame
from harness.tasks.base import Column, Join


@dataclass(frozen=True)
class Job:
    """One request; exactly one of the callbacks is called, on the model's thread."""

    frame: Frame
    answer: Callable[[tuple[Array, ...]], None]
    fail: Callable[[BaseException], None]

    @property
    def key(self) -> object:
        """Requests of one key may share a batch: same columns, types and shapes but for an axis that is trimmed."""
        parts = self.frame.header.parts
        shapes = tuple(one.shape[2 if part.join == "trim" else 1 :] for part in parts for one in part.tensors)
        kinds = tuple((part.name, part.join, part.tensors[0].dtype) for part in parts if part.tensors)
        return self.frame.header.reduction, kinds, shapes

    @property
    def lonely(self) -> bool:
        """Samples that differ in shape are not joined with another request's."""
        return any(not part.joined for part in self.frame.header.parts)


class Batcher:
    """Owns the backend. `execution` is known after the first batch."""

    def __init__(self, backend: Backend, batch_size: int) -> None:
        self._backend, self._batch_size = backend, batch_size
        self.execution: Execution | None = None
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Queue a request."""
        self._queue.put(job)

    def close(self) -> None:
        """End the thread; the web server has answered every request by then."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        waiting: deque[Job] = deque()
        while self._receive(waiting):
            jobs = self._next(waiting)
            try:
                outputs = self._infer(jobs)
            except BaseException as error:
                for job in jobs:
                    job.fail(error)
                continue
            for job, share in zip(jobs, shares(outputs, [job.frame.header.count for job in jobs]), strict=True):
                job.answer(share)

    def _receive(self, waiting: deque[Job]) -> bool:
        """Take what has arrived, wait only where there is nothing; False at the end."""
        block = not waiting
        while True:
            try:
                job = self._queue.get(block=block)
            except Empty:
                return True
            if job is None:
                return False
            waiting.append(job)
            block = False

    def _next(self, waiting: deque[Job]) -> list[Job]:
        jobs = [waiting.popleft()]
        count = jobs[0].frame.header.count
        while waiting and not jobs[0].lonely and waiting[0].key == jobs[0].key:
            count += waiting[0].frame.header.count
            if count > self._batch_size:
                break
            jobs.append(waiting.popleft())
        return jobs

    def _infer(self, jobs: list[Job]) -> tuple[Array, ...]:
        count = sum(job.frame.header.count for job in jobs)
        columns, values = merged([job.frame for job in jobs])
        self._backend.stage(count, columns, [values])
        try:
            outputs = self._backend.collect(self._backend.submit(list(range(count))))
        finally:
            self._backend.unstage()
        self.execution = self.execution or self._backend.execution()
        if jobs[0].frame.header.reduction == "argmax":
            return (outputs[0].argmax(axis=1),)
        return outputs


def merged(frames: Sequence[Frame]) -> tuple[tuple[Column, ...], tuple[Any, ...]]:
    """The columns of several requests as one batch. A trimmed axis is filled up with zeros to the longest of them."""
    columns, values = [], []
    for number, part in enumerate(frames[0].header.parts):
        value = _joined([frame.values[number] for frame in frames], trim=part.join == "trim")
        values.append(value)
        shape = value[0].shape if isinstance(value, list) else value.shape[1:]
        columns.append(Column(part.name, tuple(shape), value[0].dtype.name, cast(Join, part.join)))
    return tuple(columns), tuple(values)


def _joined(values: list[Any], *, trim: bool) -> Any:
    import numpy as np

    if len(values) == 1:
        return values[0]
    if not trim or len({value.shape[1] for value in values}) == 1:
        return np.concatenate(values)
    longest = max(value.shape[1] for value in values)
    rest = [(0, 0)] * (values[0].ndim - 2)
    return np.concatenate([np.pad(one, [(0, 0), (0, longest - one.shape[1]), *rest]) for one in values])


def shares(outputs: tuple[Array, ...], counts: list[int]) -> list[tuple[Array, ...]]:
    """Cut the outputs along their first axis; a single request gets them whole, whatever their shape."""
    if len(counts) == 1:
        return [outputs]
    ends = [sum(counts[: k + 1]) for k in range(len(counts))]
    return [tuple(output[end - count : end] for output in outputs) for count, end in zip(counts, ends, strict=True)]
