"""A line per evaluation while a training runs."""

from __future__ import annotations

from pathlib import Path

from trainer import curve
from trainer.config import TrainConfig


class Display:
    """Prints what is new in the curve of a run each time it is called with the run's folder."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._shown: dict[Path, int] = {}

    def __call__(self, folder: Path) -> None:
        points, self._shown[folder] = curve.read_from(folder / curve.CURVE, self._shown.get(folder, 0))
        for point in points:
            if point.quality is not None:
                print(self._line(point, folder), flush=True)

    def _line(self, point: curve.Point, folder: Path) -> str:
        run = f"{folder.name}: " if self._config.runs > 1 else ""
        return f"{run}epoch {point.epoch}, {point.seconds:.1f} s: quality {point.quality:.4f}"
