"""Constants of a frozen TensorFlow graph, read without TensorFlow.

A GraphDef is a protocol buffer. Of its nodes only the constants are wanted, and of those the float ones, so that a
reader of the wire format and five field numbers are all it takes (tensorflow/core/framework/*.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from harness.arrays import Array

Field: TypeAlias = "tuple[int, int | bytes]"

_NODE = 1  # GraphDef
_NAME, _OPERATION, _ATTRIBUTE = 1, 2, 5  # NodeDef
_KEY, _VALUE = 1, 2  # an entry of NodeDef's map
_TENSOR = 8  # AttrValue
_TYPE, _SHAPE, _CONTENT, _FLOATS = 1, 2, 4, 5  # TensorProto
_DIMENSION, _SIZE = 2, 1  # TensorShapeProto and its Dim
_FLOAT32 = 1


def float_constants(path: Path) -> dict[str, Array]:
    """Every float32 constant of the graph by name.

    Raises:
        OSError, ValueError: the file cannot be read, or is no GraphDef.
    """
    try:
        nodes = [dict(_node(value)) for number, value in fields(path.read_bytes()) if number == _NODE]
        return {name: array for node in nodes for name, array in node.items()}
    except (IndexError, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"it is cut off or no TensorFlow graph ({error})") from None


def fields(data: int | bytes) -> Iterator[Field]:
    """Field numbers and values of a message; raises ValueError or IndexError when it is malformed."""
    if isinstance(data, int):
        raise ValueError("a number where a message should be")
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
        if size < 0 or at + size > len(data):
            raise ValueError("it is cut off or no protocol buffer")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("it is no protocol buffer")


def _node(data: int | bytes) -> Iterator[tuple[str, Array]]:
    known: dict[int, int | bytes] = {}
    for number, value in fields(data):
        if number != _ATTRIBUTE:
            known[number] = value
        elif known.get(_OPERATION) == b"Const":
            entry = dict(fields(value))
            if entry.get(_KEY) == b"value" and (array := _tensor(entry.get(_VALUE, b""))) is not None:
                yield str(known[_NAME], "utf-8"), array  # type: ignore[arg-type]


def _tensor(attribute: int | bytes) -> Array | None:
    import numpy as np

    tensor = dict(fields(dict(fields(attribute)).get(_TENSOR, b"")))
    if tensor.get(_TYPE) != _FLOAT32:
        return None
    sizes = [size for number, size in fields(tensor.get(_SHAPE, b"")) if number == _DIMENSION]
    shape = [dict(fields(size)).get(_SIZE, 0) for size in sizes]
    values = np.frombuffer(tensor.get(_CONTENT) or tensor.get(_FLOATS) or b"", dtype="<f4")  # type: ignore[arg-type]
    return np.full(shape, values[0]) if values.size == 1 else values.reshape(shape)
