"""An engine that answers at once: what is left of a run with it is the harness's own cost."""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines.base import Event
from harness.tasks.base import Prompt

_TOKENS = 2  # loadgen divides by their number less one


class NullEngine:
    """Two tokens for every request, the first in one event and both in the next."""

    def __init__(self, config: RunConfig) -> None:
        self._size = config.batch_size
        self._waiting: deque[int] = deque()

    def load(self) -> dict[str, Any]:
        """No model."""
        return {"name": "null", "architecture": "none", "parameters": 0, "weights": None, "weights_sha256": None}

    def warm_up(self, prompt: Prompt) -> None:
        """Nothing to warm up."""

    @property
    def room(self) -> int:
        """As large as the run's batch."""
        return self._size - len(self._waiting)

    def add(self, key: int, prompt: Prompt) -> None:
        """Take in a request."""
        self._waiting.append(key)

    def step(self) -> list[Event]:
        """Answer all requests."""
        tokens = [0] * _TOKENS
        events = [Event(key, tokens[:1], False) for key in self._waiting]
        events += [Event(key, tokens, True) for key in self._waiting]
        self._waiting.clear()
        return events

    def execution(self) -> Execution:
        """Nothing executed."""
        return Execution(used="cpu", executed="null engine", precision="none", residency="host", threads=1)
