"""SUTs whose answers are known: images are filled with their own label."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from tests.harness.faulty import ReadsPixels


class Steady(ReadsPixels):
    """Right, and always as fast."""

    def submit(self, rows: Any, longest: Any = None) -> Any:
        time.sleep(0.001)
        return super().submit(rows, longest)


class Cheats(Steady):
    """Computes nothing while performance is measured."""

    def __init__(self, config: Any, reduction: Any) -> None:
        super().__init__(config, reduction)
        self._cheats = config.mode == "performance"

    def submit(self, rows: Any, longest: Any = None) -> Any:
        answers = super().submit(rows, longest)
        return np.full_like(answers, 200) if self._cheats else answers


class Wavers(Steady):
    """Every twelfth answer or so is another one than in the accuracy run, and as often right."""

    def __init__(self, config: Any, reduction: Any) -> None:
        super().__init__(config, reduction)
        self._offset = 3 if config.mode == "performance" else 7

    def submit(self, rows: Any, longest: Any = None) -> Any:
        answers = np.array(super().submit(rows, longest))
        answers[answers % 50 == self._offset] = 200
        return answers


class Hurries(Steady):
    """Knows the sample of TEST04: many times as fast, however busy the host is."""

    def submit(self, rows: Any, longest: Any = None) -> Any:
        if len(set(rows)) > 1:
            time.sleep(0.08)
        return ReadsPixels.submit(self, rows, longest)
