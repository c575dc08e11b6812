"""Where the staged samples live, and how a batch of them reaches the model.

Samples are cast and laid out when they are staged, which loadgen does not time (inference rules, untimed steps).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from harness.arrays import Array


class Store(Protocol):
    """Staged samples; `batch` returns the tensor to give to the model."""

    residency: str

    def batch(self, rows: list[int]) -> Any:
        """Tensor of shape (len(rows), *sample_shape) on the model's device."""
        ...


def is_run(rows: list[int]) -> bool:
    """True when rows are consecutive; loadgen's Offline and MultiStream queries mostly are."""
    first = rows[0]
    return rows[-1] - first == len(rows) - 1 and rows == list(range(first, first + len(rows)))


def fill(
    count: int, shape: tuple[int, ...], chunks: Iterable[Array], *, dtype: Any, channels_last: bool, **where: Any
) -> Any:
    """Copy float32 chunks into one new tensor of the given type, layout and place."""
    import torch

    layout = torch.channels_last if channels_last else torch.contiguous_format
    store = torch.empty((count, *shape), dtype=dtype, memory_format=layout, **where)
    begin = 0
    for chunk in chunks:
        store[begin : begin + len(chunk)].copy_(torch.from_numpy(chunk))
        begin += len(chunk)
    return store


class TensorStore:
    """Samples in the memory of the model's own device: host memory for a CPU, GPU memory where the data set fits.

    The GPU case is untested on hardware. Under MLPerf's rules it needs `start_from_device` in the system description.
    """

    def __init__(self, samples: Any, residency: str) -> None:
        self._samples, self.residency = samples, residency

    def batch(self, rows: list[int]) -> Any:
        """A view for consecutive rows, otherwise a gathered copy."""
        import torch

        if is_run(rows):
            return self._samples[rows[0] : rows[0] + len(rows)]
        gathered = torch.empty_like(self._samples[: len(rows)])  # keeps channels_last, which index_select alone drops
        torch.index_select(self._samples, 0, torch.tensor(rows, device=self._samples.device), out=gathered)
        return gathered


class PinnedStore:
    """Samples in pinned host memory, copied per batch to the GPU on a stream of their own. Untested on hardware.

    Two staging buffers alternate: the copy of batch k+1 may run while the model computes batch k. A buffer is written
    again only after the copy that last read it has finished.
    """

    residency = "host, pinned"

    def __init__(self, samples: Any, device: Any, batch_size: int) -> None:
        import torch

        self._samples, self._device = samples, device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        last = (
            torch.channels_last
            if samples.dim() == 4 and samples.is_contiguous(memory_format=torch.channels_last)
            else None
        )
        layout = last or torch.contiguous_format
        shape = (batch_size, *samples.shape[1:])
        self._buffers = [
            torch.empty(shape, dtype=samples.dtype, memory_format=layout, pin_memory=True) for _ in range(2)
        ]
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._turn = 0

    def batch(self, rows: list[int]) -> Any:
        """Asynchronous copy; the compute stream waits for it, the CPU does not."""
        import torch

        self._turn ^= 1
        source = self._pick(rows)
        with torch.cuda.stream(self._stream):
            on_device = source.to(self._device, non_blocking=True)
            self._copied[self._turn].record(self._stream)
        compute = torch.cuda.current_stream(self._device)
        compute.wait_stream(self._stream)
        on_device.record_stream(compute)
        return on_device

    def _pick(self, rows: list[int]) -> Any:
        import torch

        if is_run(rows):
            return self._samples[rows[0] : rows[0] + len(rows)]
        self._copied[self._turn].synchronize()
        buffer = self._buffers[self._turn][: len(rows)]
        torch.index_select(self._samples, 0, torch.tensor(rows), out=buffer)
        return buffer
