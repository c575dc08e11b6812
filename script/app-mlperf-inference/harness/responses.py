"""One result buffer per run, and the responses that point into it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from harness.arrays import Array


class ResponsePool:
    """Preallocated result slots and one reused `QuerySampleResponse` per slot.

    loadgen copies the bytes inside `QuerySamplesComplete`, so a slot may be used again as soon as `complete` has
    returned, and never before: `results` lives as long as the pool does. Responses are fixed to their slots; only the
    query's id is written per sample, which is the cheapest pattern that the Python bindings allow.
    """

    def __init__(self, loadgen: ModuleType, slots: int, dtype: str, width: int) -> None:
        import numpy as np

        self.results: Array = np.zeros((slots, width), dtype=dtype)
        size = self.results.itemsize * width
        base = self.results.ctypes.data
        self._responses: list[Any] = [loadgen.QuerySampleResponse(0, base + size * slot, size) for slot in range(slots)]
        self._complete = loadgen.QuerySamplesComplete

    def complete(self, ids: list[int]) -> None:
        """Complete `ids[k]` with the bytes in slot k; one call into loadgen."""
        responses = self._responses
        for response, query_id in zip(responses, ids):  # noqa: B905  strict= costs 15 % here; slots >= ids by design
            response.id = query_id
        self._complete(responses if len(ids) == len(responses) else responses[: len(ids)])
