"""Answers in an mlperf_log_accuracy.json, of an accuracy run or sampled from a compliance run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.errors import HarnessError
from harness.logs import ACCURACY


class Answer(msgspec.Struct, frozen=True):
    """One answered sample. `data` and `token_data` (the first token as it was reported) are bytes in hexadecimal."""

    qsl_idx: int
    data: str
    seq_id: int = 0
    token_data: str | None = None
    token_count: int | None = None


def read(folder: Path) -> list[Answer]:
    """All answers in the order of the log; raises HarnessError of kind `accuracy` for what is no accuracy log."""
    path = folder / ACCURACY
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Answer])
    except OSError as error:
        raise HarnessError("accuracy", f"cannot read {path}: {error.strerror}", f"ls {folder}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        cut = " (was it truncated? the original is needed)" if b"\n...\n" in path.read_bytes()[:8192] else ""
        raise HarnessError("accuracy", f"{path} is not an accuracy log: {error}{cut}") from error
    if not found:
        raise HarnessError("accuracy", f"{path} holds no answer", "did the run read its audit.config?")
    return found


def payload(text: str, index: int, path: Path) -> bytes:
    """The bytes of a response; raises HarnessError of kind `accuracy` for what is no hexadecimal."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise HarnessError("accuracy", f"{path}: the response of sample {index} is not hexadecimal: {error}") from error


def write(answers: Iterable[Answer], folder: Path) -> None:
    """An accuracy log of these answers, one on a line as loadgen writes it."""
    lines = ",\n".join(
        f'{{ "seq_id" : {one.seq_id}, "qsl_idx" : {one.qsl_idx}, "data" : "{one.data}" }}' for one in answers
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ACCURACY).write_text(f"[\n{lines}\n]\n")
