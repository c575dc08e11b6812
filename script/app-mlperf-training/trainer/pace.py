"""Where the time of a training goes: training steps, waiting for data, evaluation, checkpoints."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

#: first optimiser steps that do not count for throughput: caches, allocators and compilers settle in them
WARMUP_STEPS = 5


class Pace:
    """Stop-watches of one rank, in seconds."""

    def __init__(self) -> None:
        self.evaluation_s = self.saving_s = 0.0
        self._loading_s = self._training_s = 0.0
        self._steps = self._samples = self._tokens = 0
        self._since: float | None = None

    @contextlib.contextmanager
    def training(self, settle: Callable[[], None]) -> Iterator[None]:
        """Around the steps of one epoch; ``settle`` waits until the device has done them."""
        self._since = time.perf_counter() if self._warm else None
        yield
        settle()
        if self._since is not None:
            self._training_s += time.perf_counter() - self._since
        self._since = None

    @property
    def _warm(self) -> bool:
        return self._steps >= WARMUP_STEPS

    def step(self, samples: int) -> None:
        """One optimiser step over ``samples`` is done."""
        self._steps += 1
        if self._steps == WARMUP_STEPS:
            self._since = time.perf_counter()
            self._tokens = 0
        elif self._steps > WARMUP_STEPS:
            self._samples += samples

    def tokens(self, count: int | None) -> None:
        """A batch had ``count`` tokens, if the task counts them."""
        self._tokens += count or 0

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """Around the wait for one batch."""
        began = time.perf_counter()
        yield
        if self._warm:
            self._loading_s += time.perf_counter() - began

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Around one evaluation."""
        began = time.perf_counter()
        yield
        self.evaluation_s += time.perf_counter() - began

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Around one checkpoint, which is no training even in the middle of an epoch."""
        began = time.perf_counter()
        yield
        spent = time.perf_counter() - began
        self.saving_s += spent
        if self._since is not None:
            self._since += spent

    @property
    def throughput(self) -> float | None:
        """Samples per second of training; None where the training was over before it was warm."""
        return self._samples / self._training_s if self._samples and self._training_s else None

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens per second on this rank; None where the task does not count them."""
        return self._tokens / self._training_s if self._tokens and self._training_s else None

    @property
    def loading_share(self) -> float | None:
        """The part (0…1) of the training time that was spent waiting for data."""
        return self._loading_s / self._training_s if self._training_s else None
