"""Arrays as bytes: a small header, then every buffer as it lies in memory.

Layout: 4 bytes length of the header (big endian), the header (msgpack), zeros up to a multiple of `ALIGNMENT`, then the
buffers, each filled up to that multiple. Nothing is converted, compressed or padded in itself: precision and layout are
what the task prepared (network division, constraints on the query dispatch library).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from harness.arrays import Array
from harness.errors import HarnessError

ALIGNMENT = 64
_PREFIX = 4
Buffer: TypeAlias = "bytes | bytearray | memoryview"


class Tensor(msgspec.Struct, frozen=True, array_like=True):
    """One buffer: its numpy dtype and shape."""

    dtype: str
    shape: tuple[int, ...]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One column or output; `joined` is one array with a batch axis, otherwise there is one array per sample."""

    name: str
    join: str
    joined: bool
    tensors: tuple[Tensor, ...]


class Header(msgspec.Struct, frozen=True):
    """What a frame holds. `count` samples; `reduction` is what the server must apply to the first output."""

    count: int
    parts: tuple[Part, ...]
    reduction: str = "none"


class Frame(msgspec.Struct, frozen=True):
    """A decoded frame; `values` has one entry per part, an array or a list of arrays."""

    header: Header
    values: tuple[Any, ...]


def part_of(value: Any, name: str = "", join: str = "stack") -> Part:
    """Describe an array, or a list of arrays."""
    arrays = value if isinstance(value, list) else [value]
    tensors = tuple(Tensor(one.dtype.str, tuple(one.shape)) for one in arrays)
    return Part(name, join, not isinstance(value, list), tensors)


def encode(header: Header, values: Sequence[Any]) -> tuple[list[Buffer], int]:
    """The buffers to send one after the other, and their number of bytes. Contiguous arrays are not copied."""
    head = msgspec.msgpack.encode(header)
    start = len(head).to_bytes(_PREFIX, "big") + head
    buffers: list[Buffer] = [start + bytes(-len(start) % ALIGNMENT)]
    for array in _arrays(values):
        view = _view(array)
        buffers.append(view)
        if rest := -len(view) % ALIGNMENT:
            buffers.append(bytes(rest))
    return buffers, sum(len(one) for one in buffers)


def decode(body: bytearray) -> Frame:
    """Arrays that share the memory of `body`; raises HarnessError of kind `network` for anything but a whole frame."""
    try:
        end = _PREFIX + int.from_bytes(body[:_PREFIX], "big")
        header = msgspec.msgpack.decode(body[_PREFIX:end], type=Header)
        arrays = _read(body, header, end + -end % ALIGNMENT)
        return Frame(header, tuple(_assemble(part, arrays) for part in header.parts))
    except (msgspec.MsgspecError, ValueError, TypeError, StopIteration) as error:
        raise HarnessError(
            "network", f"{len(body)} bytes arrived that are no frame of this harness: {error}"
        ) from error


def _assemble(part: Part, arrays: Iterator[Array]) -> Any:
    found = [next(arrays) for _ in part.tensors]
    return found[0] if part.joined else found


def _read(body: bytearray, header: Header, offset: int) -> Iterator[Array]:
    import numpy as np

    for part in header.parts:
        for tensor in part.tensors:
            count = int(np.prod(tensor.shape, dtype=np.int64))
            array = np.frombuffer(body, np.dtype(tensor.dtype), count, offset).reshape(tensor.shape)
            offset += array.nbytes + -array.nbytes % ALIGNMENT
            yield array


def _arrays(values: Sequence[Any]) -> Iterator[Array]:
    for value in values:
        yield from value if isinstance(value, list) else [value]


def _view(array: Array) -> memoryview:
    import numpy as np

    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).data if flat.size else memoryview(b"")
