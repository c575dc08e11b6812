"""The course of a training, one JSON line per point: what the plots are made of, and how the parent sees progress."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

CURVE = "curve.jsonl"


@dataclass(frozen=True)
class Point:
    """``seconds`` since run_start, resumed time included. Either a loss or a quality."""

    seconds: float
    epoch: int
    step: int
    samples: int
    loss: float | None = None
    quality: float | None = None
    learning_rate: float | None = None


class Curve:
    """Writes points; a line is complete on disk when `add` returns."""

    def __init__(self, path: Path, enabled: bool = True) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8", buffering=1) if enabled else None

    def add(self, point: Point) -> None:
        """Append one point."""
        if self._file:
            known = {name: value for name, value in vars(point).items() if value is not None}
            self._file.write(json.dumps(known) + "\n")

    def beat(self) -> None:
        """Show that the training lives where there is nothing to write."""
        if self._file:
            os.utime(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def read(path: Path) -> list[Point]:
    """All whole points of a file; a line that a kill cut off is left out, and so is what a resume trained again."""
    points: list[Point] = []
    for values in _lines(path):
        with contextlib.suppress(TypeError):
            point = Point(**values)
            points = [kept for kept in points if _before(kept, point)] if _went_back(points, point) else points
            points.append(point)
    return points


def read_from(path: Path, offset: int) -> tuple[list[Point], int]:
    """The whole points after ``offset`` bytes, and the offset behind them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read()
    except OSError:
        return [], offset
    whole = block[: block.rfind(b"\n") + 1]
    return [Point(**values) for values in _parsed(whole.decode("utf-8"))], offset + len(whole)


def _went_back(points: list[Point], point: Point) -> bool:
    return bool(points) and not _before(points[-1], point)


def _before(first: Point, second: Point) -> bool:
    return (first.step, first.quality is not None) < (second.step, second.quality is not None)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return
    yield from _parsed(text)


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)
