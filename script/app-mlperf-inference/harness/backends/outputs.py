"""Checks on what a model returns, cheap enough to be made on the batches where they cannot disturb a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.config import RunConfig
from harness.errors import HarnessError

WATCHED = 3  # batches checked in a performance run: those of the warm-up


class OutputCheck:
    """Refuses NaN: in all batches of an accuracy run, in the first three of any other.

    Infinity is let through, since masks of logits are full of it.
    """

    def __init__(self, config: RunConfig) -> None:
        self._always, self._left = config.mode == "accuracy", WATCHED
        self._model, self._precision = config.model.name, config.precision
        self.shapes: tuple[tuple[int, ...], ...] = ()

    def __call__(self, outputs: Sequence[Any]) -> None:
        """Check numpy arrays or torch tensors; raises HarnessError of kind `raised`."""
        if self._left <= 0 and not self._always:
            return
        self._left -= 1
        if not self.shapes:
            self.shapes = tuple(tuple(output.shape) for output in outputs)
        for number, output in enumerate(outputs):
            undefined = int((output != output).sum())  # only NaN differs from itself
            if undefined:
                raise HarnessError("raised", self._cause(number, output, undefined), self._hint())

    def _cause(self, number: int, output: Any, undefined: int) -> str:
        values = 1
        for axis in output.shape:
            values *= int(axis)
        return f"{undefined} of the {values} values that {self._model} returned in output {number} are NaN"

    def _hint(self) -> str:
        if self._precision in ("fp16", "int8"):
            return f"{self._precision} may overflow: try --precision=fp32"
        return "the weights are broken, or they are not this model's: fetch them again"
