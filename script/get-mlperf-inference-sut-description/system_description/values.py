"""A value of a description, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Origin(str, Enum):
    """Where a value comes from. There is no guess among them."""

    DETECTED = "detected"
    GIVEN = "given"
    NOT_APPLICABLE = "not applicable"
    EMPTY = "left empty"  # not known, and allowed to be empty
    RUN = "from the runs"
    PLACEHOLDER = "placeholder"  # in demonstrations only


@dataclass(frozen=True)
class Value:
    """What stands in the file; ``source`` names the file, command or flag that it was read from."""

    text: str
    origin: Origin
    source: str = ""


def detected(text: str, source: str) -> Value:
    """A value that was read from the host."""
    return Value(text, Origin.DETECTED, source)


Values = dict[str, Value]
