"""Reader of mlperf_log_accuracy.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.errors import HarnessError
from harness.logs import ACCURACY

FILE_NAME = "accuracy.txt"


class Response(msgspec.Struct, frozen=True):
    """One answered sample; `data` is the response's bytes in hexadecimal."""

    qsl_idx: int
    data: str


def read(log_dir: Path) -> dict[int, bytes]:
    """First response per sample: loadgen may send a sample twice, and the reference scripts count the first.

    Raises:
        HarnessError: kind `accuracy`, when the log cannot be read.
    """
    path = log_dir / ACCURACY
    found: dict[int, bytes] = {}
    try:
        for response in msgspec.json.decode(path.read_bytes(), type=list[Response]):
            found.setdefault(response.qsl_idx, bytes.fromhex(response.data))
    except OSError as error:
        raise HarnessError("accuracy", f"cannot read {path}: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise HarnessError("accuracy", f"{path} is not an accuracy log: {error}") from error
    return found


def read_complete(log_dir: Path, count: int) -> list[bytes]:
    """Responses of samples 0..count-1; raises HarnessError of kind `accuracy` unless exactly those were answered."""
    answers, path = read(log_dir), log_dir / ACCURACY
    missing = [index for index in range(count) if index not in answers]
    if missing:
        raise HarnessError(
            "accuracy", f"{path} answers {count - len(missing)} of {count} samples; first missing: {missing[0]}"
        )
    if len(answers) > count:
        raise HarnessError("accuracy", f"{path} answers {len(answers)} samples, the data set has {count}")
    return [answers[index] for index in range(count)]


def read_exactly(log_dir: Path, indices: Sequence[int]) -> list[bytes]:
    """Responses of these samples, in this order.

    Raises:
        HarnessError: kind `accuracy`, unless these and no others were answered.
    """
    answers, path = read(log_dir), log_dir / ACCURACY
    if answers.keys() != set(indices):
        odd = min(answers.keys() ^ set(indices))
        what = "is not answered" if odd not in answers else "was not asked for"
        raise HarnessError("accuracy", f"{path} has other answers than asked for: sample {odd} {what}")
    return [answers[index] for index in indices]


def as_array(payload: bytes, dtype: str, log_dir: Path) -> object:
    """The values of one response.

    Raises:
        HarnessError: kind `accuracy`, when its length is no multiple of the value's size.
    """
    import numpy as np

    try:
        return np.frombuffer(payload, dtype=dtype)
    except ValueError as error:
        raise HarnessError("accuracy", f"{log_dir / ACCURACY}: a response is not {dtype}: {error}") from error
