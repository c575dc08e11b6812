"""The course of a training: the points of curve.jsonl and the looks of monitor.csv, as columns of numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CURVE, MONITOR = "curve.jsonl", "monitor.csv"
#: points of one line in a plot: more than a screen is wide
MAX_POINTS = 2000


@dataclass(frozen=True)
class Line:
    """Numbers over time: ``x`` in seconds, ``y`` in the unit of what it is a line of."""

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.x)


@dataclass(frozen=True)
class Course:
    """What was noted while training. ``epochs`` has, for every quality, the epochs that were over."""

    loss: Line = Line()
    quality: Line = Line()
    learning_rate: Line = Line()
    epochs: tuple[int, ...] = ()


def course(folder: Path) -> Course:
    """The course of the run in ``folder``; empty where there is none."""
    points = _kept(_points(folder / CURVE))
    judged = [point for point in points if point.get("quality") is not None]
    return Course(
        loss=_line(points, "loss"),
        quality=_line(points, "quality"),
        learning_rate=_line(points, "learning_rate"),
        epochs=tuple(int(point.get("epoch") or 0) for point in judged),
    )


def monitored(folder: Path) -> dict[str, Line]:
    """The columns of the run's monitor.csv by name, over seconds since the first look; empty where there is none."""
    columns: dict[str, list[tuple[float, float]]] = {}
    began: float | None = None
    for row in _rows(folder / MONITOR):
        now = _number(row.get("unix"))
        if now is None:
            continue
        began = now if began is None else began
        for name, text in row.items():
            value = _number(text)
            if value is not None and name not in ("unix", "seconds"):
                columns.setdefault(name, []).append((now - began, value))
    return {name: Line(*_columns(pairs)) for name, pairs in columns.items()}


def first_reached(found: Course, target: float, higher_is_better: bool) -> tuple[int, float] | None:
    """Epochs and seconds until the quality was first as good as ``target``; None where it never was."""
    for epoch, second, value in zip(found.epochs, found.quality.x, found.quality.y, strict=True):
        if value >= target if higher_is_better else value <= target:
            return epoch, second
    return None


def thinned(line: Line, most: int = MAX_POINTS) -> Line:
    """Every n-th point, so that at most ``most`` are left; the last one stays."""
    step = math.ceil(len(line.x) / most) if len(line.x) > most else 1
    kept = sorted({*range(0, len(line.x), step), len(line.x) - 1}) if line else []
    return Line(tuple(line.x[at] for at in kept), tuple(line.y[at] for at in kept))


def _kept(points: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what a resumed training did a second time: the first time is taken back."""
    kept: list[dict[str, Any]] = []
    for point in points:
        while kept and not _before(kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _before(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return (first["step"], "quality" in first) < (second["step"], "quality" in second)


def _points(path: Path) -> Iterator[dict[str, Any]]:
    """Whole points; a line that a kill cut off is none."""
    for text in _lines(path):
        try:
            point = json.loads(text)
            if isinstance(point, dict) and _number(point.get("seconds")) is not None:
                yield {**point, "step": int(point["step"])}
        except (ValueError, KeyError, TypeError, RecursionError):
            continue


def _rows(path: Path) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(_lines(path))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for line in file:
                yield line.replace("\0", "")
    except OSError:
        return


def _line(points: Sequence[dict[str, Any]], name: str) -> Line:
    pairs = [(float(point["seconds"]), value) for point in points if (value := _number(point.get(name))) is not None]
    return Line(*_columns(pairs))


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(x for x, _ in pairs), tuple(y for _, y in pairs)


def _number(value: Any) -> float | None:
    """A finite number, whether as such or as text."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
