"""The engine of `--backend=pytorch`: a transformers model driven by our own batching. Untested on GPU hardware."""

from __future__ import annotations

from typing import Any

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines import loading
from harness.engines.base import Event, GenerationModel
from harness.engines.beams import BeamSearch
from harness.engines.continuous import ContinuousBatch
from harness.engines.warmup import answer, shortened
from harness.tasks.base import Prompt


class PytorchEngine:
    """Greedy or sampled tokens by continuous batching, or beam search where the benchmark asks for beams.

    `RunConfig.batch_size` is the number of requests that run side by side.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._model: GenerationModel
        self._batch: ContinuousBatch | BeamSearch

    def load(self) -> dict[str, Any]:
        """Build the model; how many beams it wants decides how tokens are found."""
        config = self._config
        self._model, device = loading.load(config)
        search = BeamSearch if self._model.beams > 1 else ContinuousBatch
        self._batch = search(self._model, device, config.batch_size, config.model.seed)
        return loading.facts(config, self._model)

    @property
    def room(self) -> int:
        """Requests it can take in now."""
        return self._batch.room

    def warm_up(self, prompt: Prompt) -> None:
        """Answer two copies of the prompt with a few tokens."""
        answer(self, shortened(prompt, min(2, self._config.batch_size)))

    def add(self, key: int, prompt: Prompt) -> None:
        """Take in a request."""
        self._batch.add(key, prompt)

    def step(self) -> list[Event]:
        """Read some prompts, or make one token per running request; with beams, answer a batch."""
        return self._batch.step()

    def execution(self) -> Execution:
        """Read from the parameters and from the device of the last scores."""
        how = f"{self._model.beams} beams" if self._model.beams > 1 else "continuous batching"
        return loading.execution(self._config, self._model, str(self._batch.output_device), how)
