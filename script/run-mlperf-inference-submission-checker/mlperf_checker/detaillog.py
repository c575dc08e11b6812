"""Fast reader of loadgen's mlperf_log_detail.txt.

A log may have a hundred lines or a million. One pattern per line takes out key, value and error mark; the value is
decoded only when it is asked for. As in upstream's reader the first value of a key counts.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_MARK = b":::MLLOG"
_ENDPOINTS_MARK = b":::ENDPTS"
# Lists of a million samples and the like: nobody asks for the value, and head and tail hold the rest.
_LONG, _HEAD, _TAIL = 8192, 128, 1024
_LINE = re.compile(
    rb':::MLLOG \{"key": "([^"\\]*)", "value": (.*?), "time_ms": [^,"]*, "namespace": [^{]*'
    rb'"metadata": \{"is_error": (true|false), [^}]*\}\}\s*'
)


@dataclass(frozen=True)
class DetailLog:
    """One log.

    Attributes:
        values: undecoded value of each key.
        errors: what loadgen marked as errors.
        damaged: numbers of lines that should be log lines and are not, from 1.
        foreign: the first line is not loadgen's.
        endpoints: written by the HTTP harness instead.
    """

    values: dict[str, bytes]
    errors: tuple[str, ...] = ()
    damaged: tuple[int, ...] = ()
    foreign: bool = False
    endpoints: bool = False
    _decoded: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def get(self, key: str) -> Any:
        """The decoded value, None where the key is absent or its value is no JSON."""
        if key not in self._decoded:
            raw = self.values.get(key)
            self._decoded[key] = None if raw is None else _decode(raw)
        return self._decoded[key]

    def number(self, key: str) -> float | None:
        """A finite number, None for anything else."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        try:
            return value if math.isfinite(value) else None
        except OverflowError:
            return None

    def text(self, key: str) -> str:
        """The value as text, empty where there is none."""
        value = self.get(key)
        return "" if value is None else str(value)

    @cached_property
    def num_errors(self) -> int:
        """loadgen's own count, or the errors it marked where these are more."""
        return max(int(self.number("num_errors") or 0), len(self.errors))

    @property
    def scenario(self) -> str:
        return self.text("effective_scenario")

    @property
    def finished(self) -> bool:
        """Whether loadgen got to the end of the test."""
        return "power_end" in self.values or "result_validity" in self.values


def parse(content: bytes) -> DetailLog:
    """Read a log. Never raises: what is no log is `foreign`, a bad line is `damaged`."""
    values: dict[str, bytes] = {}
    errors: list[str] = []
    damaged: list[int] = []
    matches = _LINE.fullmatch
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONG:
            line = line[:_HEAD] + line[-_TAIL:]
        found = matches(line)
        key, value, is_error = found.groups() if found else _slow(line)
        if not key:
            if line.startswith(_MARK):
                damaged.append(number)
            continue
        values.setdefault(key.decode("utf-8", "replace"), value)
        if is_error == b"true":
            errors.append(str(_decode(value)))
    first = lines[0]
    return DetailLog(
        values,
        tuple(errors),
        tuple(damaged),
        foreign=not first.startswith((_MARK, _ENDPOINTS_MARK)),
        endpoints=first.startswith(_ENDPOINTS_MARK),
    )


def _slow(line: bytes) -> tuple[bytes, bytes, bytes]:
    """A line that is spaced or ordered in another way than loadgen's."""
    if not line.startswith(_MARK):
        return b"", b"", b""
    try:
        entry = json.loads(line[len(_MARK) :])
        is_error = entry["metadata"]["is_error"] is True
        return str(entry["key"]).encode(), json.dumps(entry["value"]).encode(), b"true" if is_error else b"false"
    except (ValueError, KeyError, TypeError, RecursionError):
        return b"", b"", b""


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
