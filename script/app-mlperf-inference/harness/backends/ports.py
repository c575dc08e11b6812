"""What a model file says it takes, and whether a task's columns fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.tasks.base import Column

_FLOATS = frozenset({"float16", "float32", "float64", "bfloat16"})
_WHOLE = frozenset({"bool", "int8", "int16", "int32", "int64", "uint8"})


@dataclass(frozen=True)
class Port:
    """One input of a model file; an axis that may have any length is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Feed:
    """How a column reaches its port.

    Attributes:
        column, port: the two ends.
        axes: order of a sample's axes in the port's layout, where that is another one (channels last); else None.
        batch: length of the port's batch axis, where it is fixed.
    """

    column: Column
    port: Port
    axes: tuple[int, ...] | None = None
    batch: int | None = None


def feeds(columns: Sequence[Column], ports: Sequence[Port], source: str) -> tuple[Feed, ...]:
    """Pair columns with ports, by name where all names agree, else in order; the result is in the ports' order.

    Raises:
        HarnessError: kind `weights`, when number, shape or type of the inputs differ.
    """
    if len(columns) != len(ports):
        wanted, given = _names(columns), ", ".join(port.name for port in ports)
        raise HarnessError(
            "weights", f"{source} has {len(ports)} inputs ({given}), the task gives {len(columns)} ({wanted})", _HINT
        )
    by_name = {column.name: column for column in columns}
    named = set(by_name) == {port.name for port in ports}
    pairs = [(by_name[port.name] if named else columns[k], port) for k, port in enumerate(ports)]
    return tuple(_feed(column, port, source) for column, port in pairs)


def _feed(column: Column, port: Port, source: str) -> Feed:
    kinds = [kind for kind in (_FLOATS, _WHOLE) if column.dtype in kind]
    if not any(port.dtype in kind for kind in kinds) and not _quantised(column, port):
        cause = (
            f"input {port.name!r} of {source} takes {port.dtype}, the task's column {column.name!r} is {column.dtype}"
        )
        raise HarnessError("weights", cause, _HINT)
    batched = column.join != "concat"
    batch, shape = (port.shape[0] if port.shape else None, port.shape[1:]) if batched else (None, port.shape)
    if _agree(column.shape, shape):
        return Feed(column, port, None, batch)
    if len(column.shape) == 3 and _agree((column.shape[1], column.shape[2], column.shape[0]), shape):
        return Feed(column, port, (1, 2, 0), batch)
    given = ("n", *column.shape) if batched else column.shape
    cause = f"input {port.name!r} of {source} has shape {_text(port.shape)}, the task's samples make {_text(given)}"
    raise HarnessError("weights", cause, _HINT)


def _quantised(column: Column, port: Port) -> bool:
    """A model file may take its floats as 8-bit numbers; its backend knows scale and zero point."""
    return column.dtype in _FLOATS and port.dtype in ("int8", "uint8")


def _agree(column: Sequence[int | None], port: Sequence[int | None]) -> bool:
    return len(column) == len(port) and all(
        one is None or other is None or one == other for one, other in zip(column, port, strict=True)
    )


def _text(shape: Sequence[int | str | None]) -> str:
    return "(" + ", ".join("any" if axis is None else str(axis) for axis in shape) + ")"


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)


_HINT = "give a model made for this task's samples, or another task with --like=MODEL"
