"""Responses as tokens."""

from __future__ import annotations

import struct
from pathlib import Path

from harness.errors import HarnessError
from harness.logs import ACCURACY
from mlperf_compliance.answers import payload

_FORMATS = {"int16": "h", "int32": "i", "int64": "q", "float32": "f"}


def decode(text: str, dtype: str, index: int, folder: Path) -> tuple[float, ...]:
    """The tokens of a response; raises HarnessError of kind `accuracy` where its size is no multiple of a token's."""
    path = folder / ACCURACY
    data, form = payload(text, index, path), _FORMATS.get(dtype, "i")
    count, rest = divmod(len(data), struct.calcsize(form))
    if rest:
        cause = f"{path}: {len(data)} bytes of sample {index} are no {dtype} tokens"
        raise HarnessError("accuracy", cause, f"give the right one: --dtype={'|'.join(_FORMATS)}")
    return struct.unpack(f"<{count}{form}", data)
