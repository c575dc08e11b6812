"""The bytes that travel back to loadgen, alive until it has copied them.

loadgen copies a response's bytes inside `QuerySamplesComplete`. A buffer that dies earlier gives wrong accuracy logs
without any error, so every pool here holds its buffers until `complete` has returned.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol

from harness.arrays import Array


class Pool(Protocol):
    """Hands encoded responses to loadgen."""

    def complete(self, ids: list[int], encoded: Any) -> None:
        """Complete `ids[k]` with the k-th response; one call into loadgen."""
        ...


class ResponsePool:
    """For responses of one width: preallocated slots and one reused `QuerySampleResponse` per slot.

    Responses are fixed to their slots; only the query's id is written per sample, which is the cheapest pattern that
    the Python bindings allow.
    """

    def __init__(self, loadgen: ModuleType, slots: int, dtype: str, width: int) -> None:
        import numpy as np

        self.results: Array = np.zeros((slots, width), dtype=dtype)
        size = self.results.itemsize * width
        base = self.results.ctypes.data
        self._responses: list[Any] = [loadgen.QuerySampleResponse(0, base + size * slot, size) for slot in range(slots)]
        self._complete = loadgen.QuerySamplesComplete

    def complete(self, ids: list[int], encoded: Array) -> None:
        """`encoded` has shape (n, width) or, for a width of one, (n,)."""
        count = len(ids)
        self.results[:count] = encoded if encoded.ndim == 2 else encoded[:, None]
        responses = self._responses
        for response, query_id in zip(responses, ids):  # noqa: B905  strict= costs 15 % here; slots >= ids by design
            response.id = query_id
        self._complete(responses if count == len(responses) else responses[:count])


class RaggedPool:
    """For responses of their own length each."""

    def __init__(self, loadgen: ModuleType, dtype: str) -> None:
        self._response, self._dtype = loadgen.QuerySampleResponse, dtype
        self._complete = loadgen.QuerySamplesComplete

    def complete(self, ids: list[int], encoded: list[Array], tokens: list[int] | None = None) -> None:
        """`encoded` holds one 1-D array per id; `tokens`, where loadgen counts them, how many each response has."""
        import numpy as np

        held = [np.ascontiguousarray(one, dtype=self._dtype) for one in encoded]
        places = [(query_id, one.ctypes.data, one.nbytes) for query_id, one in zip(ids, held, strict=True)]
        if tokens is None:
            self._complete([self._response(*place) for place in places])
        else:
            self._complete([self._response(*place, n) for place, n in zip(places, tokens, strict=True)])


def pool_for(loadgen: ModuleType, slots: int, dtype: str, width: int | None) -> Pool:
    """The pool that fits a task's responses."""
    return RaggedPool(loadgen, dtype) if width is None else ResponsePool(loadgen, slots, dtype, width)
