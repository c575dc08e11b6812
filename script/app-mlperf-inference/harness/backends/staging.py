"""Where the staged samples live, and how a batch of them reaches the model.

Samples are cast and laid out when they are staged, which loadgen does not time (inference rules, untimed steps).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Protocol

from harness.tasks.base import Column, Samples

Chunks = Iterable[tuple[Samples, ...]]


class Store(Protocol):
    """Staged samples of one column; `batch` returns the tensor to give to the model."""

    def batch(self, rows: list[int]) -> Any:
        """Tensor of the rows, joined as the column says, on the model's device."""
        ...


def is_run(rows: list[int]) -> bool:
    """True when rows are consecutive; loadgen's Offline and MultiStream queries mostly are."""
    first = rows[0]
    return rows[-1] - first == len(rows) - 1 and rows == list(range(first, first + len(rows)))


def trimmed(tensor: Any, column: Column, longest: int | None) -> Any:
    """Cut axis 1 to the batch's longest sample where the column allows it."""
    return tensor[:, :longest] if longest is not None and column.join == "trim" else tensor


def torch_dtype(column: Column, precision: Any) -> Any:
    """The run's precision for floating columns, the column's own type for all others."""
    import torch

    dtype: Any = getattr(torch, column.dtype)
    return precision if dtype.is_floating_point else dtype


class ArrayStore:
    """Samples of one shape in one tensor, on the model's own device or in (pinned) host memory."""

    def __init__(self, count: int, column: Column, *, dtype: Any, channels_last: bool, **where: Any) -> None:
        import torch

        image = channels_last and len(column.shape) == 3
        self.layout = torch.channels_last if image else torch.contiguous_format
        shape = (count, *[axis or 0 for axis in column.shape])
        self.samples = torch.empty(shape, dtype=dtype, memory_format=self.layout, **where)
        self._filled = 0

    def take(self, chunk: Any) -> None:
        """Copy the next samples in."""
        import torch

        self.samples[self._filled : self._filled + len(chunk)].copy_(torch.from_numpy(chunk))
        self._filled += len(chunk)

    def batch(self, rows: list[int]) -> Any:
        """A view for consecutive rows, otherwise a gathered copy."""
        import torch

        if is_run(rows):
            return self.samples[rows[0] : rows[0] + len(rows)]
        gathered = torch.empty_like(self.samples[: len(rows)])  # keeps channels_last, which index_select alone drops
        torch.index_select(self.samples, 0, torch.tensor(rows, device=self.samples.device), out=gathered)
        return gathered


class ListStore:
    """Samples that differ in shape. On a GPU each batch is copied when it is asked for (untested on hardware)."""

    def __init__(self, column: Column, *, dtype: Any, device: Any) -> None:
        self._samples: list[Any] = []
        self._concatenate, self._dtype, self._device = column.join == "concat", dtype, device

    def take(self, chunk: Any) -> None:
        """Keep the next samples."""
        import torch

        self._samples.extend(torch.from_numpy(one).to(self._dtype) for one in chunk)

    def batch(self, rows: list[int]) -> Any:
        """The samples one after the other (concat), or one sample with a batch axis (single)."""
        import torch

        if self._concatenate:
            return torch.cat([self._samples[row] for row in rows]).to(self._device, non_blocking=True)
        (row,) = rows
        return self._samples[row].unsqueeze(0).to(self._device, non_blocking=True)


class PinnedStore:
    """Copies batches of pinned host memory to the GPU on a stream of its own. Untested on hardware.

    Two staging buffers alternate per calling thread: the copy of batch k+1 may run while the model computes batch k. A
    buffer is written again only after the copy that last read it has finished.
    """

    def __init__(self, store: ArrayStore, device: Any, batch_size: int) -> None:
        import torch

        self._store, self._device, self._batch_size = store, device, batch_size
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._local = threading.local()

    def batch(self, rows: list[int]) -> Any:
        """Asynchronous copy; the compute stream waits for it, the CPU does not."""
        import torch

        buffers = self._buffers()
        buffers.turn ^= 1
        source = self._pick(rows, buffers)
        with torch.cuda.stream(self._stream):
            on_device = source.to(self._device, non_blocking=True)
            buffers.copied[buffers.turn].record(self._stream)
        compute = torch.cuda.current_stream(self._device)
        compute.wait_stream(self._stream)
        on_device.record_stream(compute)
        return on_device

    def _buffers(self) -> Any:
        import torch

        local, samples = self._local, self._store.samples
        if not hasattr(local, "turn"):
            like: dict[str, Any] = {"dtype": samples.dtype, "memory_format": self._store.layout, "pin_memory": True}
            local.turn = 0
            local.pinned = [torch.empty((self._batch_size, *samples.shape[1:]), **like) for _ in range(2)]
            local.copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        return local

    def _pick(self, rows: list[int], buffers: Any) -> Any:
        import torch

        samples = self._store.samples
        if is_run(rows):
            return samples[rows[0] : rows[0] + len(rows)]
        buffers.copied[buffers.turn].synchronize()
        buffer = buffers.pinned[buffers.turn][: len(rows)]
        torch.index_select(samples, 0, torch.tensor(rows), out=buffer)
        return buffer
