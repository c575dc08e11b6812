"""From query samples to completed responses, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from harness.backends.base import Backend
from harness.qsl import SampleLibrary
from harness.recorder import Recorder
from harness.responses import Pool
from harness.tasks.base import Task

Batch: TypeAlias = "tuple[list[int], list[int]]"  # loadgen's query ids, and data set indices


class Answerer:
    """Task, backend and response pool together. Not shared between threads: each worker has one of its own."""

    def __init__(
        self, backend: Backend, task: Task, library: SampleLibrary, pool: Pool, recorder: Recorder, batch_size: int
    ) -> None:
        self._submit, self._collect = backend.submit, backend.collect
        self._encode, self._library = task.encode, library
        self._complete, self._completed = pool.complete, recorder.completed_batch
        self.batch_size = batch_size

    def answer(self, ids: list[int], indices: list[int]) -> None:
        """Infer and complete at most `batch_size` samples."""
        batch = (ids, indices)
        self.finish(batch, self.submit(batch))

    def batches(self, ids: list[int], indices: list[int]) -> Iterator[Batch]:
        """Cut a query into batches; where samples differ in length, of similar ones, the longest first."""
        lengths, size = self._library.lengths, self.batch_size
        if lengths is not None:
            rows = self._library.rows(indices)
            order = sorted(range(len(ids)), key=lambda k: -lengths[rows[k]])
            ids, indices = [ids[k] for k in order], [indices[k] for k in order]
        for begin in range(0, len(ids), size):
            yield ids[begin : begin + size], indices[begin : begin + size]

    def submit(self, batch: Batch) -> Any:
        """Start the inference; the ticket goes to `finish`."""
        rows, lengths = self._library.rows(batch[1]), self._library.lengths
        if lengths is None:
            return self._submit(rows)
        return self._submit(rows, max(map(lengths.__getitem__, rows)))

    def finish(self, batch: Batch, ticket: Any) -> None:
        """Collect, encode and complete."""
        ids, indices = batch
        self._complete(ids, self._encode(self._collect(ticket), indices))
        self._completed(len(ids))
