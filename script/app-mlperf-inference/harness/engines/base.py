"""What an engine must offer: a model that generates tokens for many requests at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.tasks.base import Prompt


class Event(NamedTuple):
    """News of one request: all its tokens so far, and whether these are all."""

    key: int
    tokens: list[int]
    done: bool


@dataclass(frozen=True)
class GenerationModel:
    """What an architecture's `build(model_config)` returns to an engine.

    Attributes:
        module: a transformers model with a language modelling head.
        eos_ids: tokens that end a response; the ending token is part of the response.
        pad_id: token that fills up rows of a batch, never read.
        beams: width of the beam search that the benchmark asks for; 1 is greedy.
        temperature: 0 takes the likeliest token; above it tokens are drawn, from the run's seed.
    """

    module: Any
    eos_ids: frozenset[int]
    pad_id: int
    beams: int = 1
    temperature: float = 0.0


class Engine(Protocol):
    """A generating model on a device, driven by one thread."""

    def __init__(self, config: RunConfig) -> None: ...

    @property
    def room(self) -> int:
        """Requests it can take in now; 0 when it is full."""
        ...

    def load(self) -> dict[str, Any]:
        """Build the model on the device and return its facts.

        Raises:
            HarnessError: kind `weights`, `device` or `memory`.
        """
        ...

    def warm_up(self, prompt: Prompt) -> None:
        """Answer one prompt, so that nothing is done for the first time in the run."""
        ...

    def add(self, key: int, prompt: Prompt) -> None:
        """Take in a request; its events carry `key`."""
        ...

    def step(self) -> list[Event]:
        """Do a bounded piece of work: one batch of prompts, or one token for each running request.

        A request's first event comes with its first tokens, its last one has `done`; there may be others between them.

        Raises:
            HarnessError: kind `nan` when the model's scores are not numbers.
        """
        ...

    def execution(self) -> Execution:
        """What executed, read from the objects that did; valid after `warm_up`."""
        ...
