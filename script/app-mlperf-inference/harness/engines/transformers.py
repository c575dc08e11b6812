"""The engine of `--backend=transformers`: transformers' own continuous batching with its paged cache.

Its manager generates in a thread of its own; this class hands requests over and collects tokens. The GPU path is
untested on hardware.
"""

from __future__ import annotations

import threading
from typing import Any

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines import loading
from harness.engines.base import Event, GenerationModel
from harness.engines.warmup import answer, shortened
from harness.errors import HarnessError
from harness.tasks.base import Prompt

_PAGE = 256  # positions
_CPU_PAGES_PER_REQUEST = 8  # on a GPU the manager takes what memory is left
_PATIENCE_S = 1.0  # how long a step waits for news


class TransformersEngine:
    """Greedy or sampled tokens; `batch_size` is the number of requests that are handed over at a time."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._model: GenerationModel
        self._manager: Any = None
        self._open: set[int] = set()

    def load(self) -> dict[str, Any]:
        """Build the model and its manager."""
        config = self._config
        self._model, device = loading.load(config)
        if self._model.beams > 1:
            raise HarnessError(
                "config", "transformers' continuous batching has no beam search", "use --backend=pytorch"
            )
        self._manager = self._model.module.init_continuous_batching(*self._settings(device.type))
        return loading.facts(config, self._model)

    def _settings(self, device: str) -> tuple[Any, Any]:
        import transformers

        library: Any = transformers  # partly typed
        temperature = self._model.temperature
        drawn = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature > 0 else {"do_sample": False}
        endings = sorted(self._model.eos_ids) or [-1]
        pages = {"num_blocks": self._config.batch_size * _CPU_PAGES_PER_REQUEST} if device == "cpu" else {}
        return (
            library.GenerationConfig(eos_token_id=endings, pad_token_id=self._model.pad_id, **drawn),
            library.ContinuousBatchingConfig(page_size=_PAGE, seed=self._config.model.seed, **pages),
        )

    @property
    def room(self) -> int:
        """Requests that may be handed over now."""
        return self._config.batch_size - len(self._open)

    def warm_up(self, prompt: Prompt) -> None:
        """Start the manager and answer two copies of the prompt with a few tokens."""
        self._manager.start()
        # its thread would keep the process alive after everything else has ended
        threading.Thread(target=_stop_at_the_end, args=(self._manager,), daemon=True).start()
        answer(self, shortened(prompt, min(2, self._config.batch_size)))

    def add(self, key: int, prompt: Prompt) -> None:
        """Hand a request over; HarnessError of kind `config` for one that must not end early."""
        if prompt.min_new_tokens > 1:
            raise HarnessError(
                "config",
                f"at least {prompt.min_new_tokens} new tokens are asked for, which transformers' continuous batching "
                "cannot promise",
                "use --backend=pytorch",
            )
        self._open.add(key)
        self._manager.add_request(
            list(prompt.tokens), request_id=str(key), max_new_tokens=prompt.max_new_tokens, streaming=True
        )

    def step(self) -> list[Event]:
        """Wait for news, and take all that there are."""
        events = []
        result = self._manager.get_result(timeout=_PATIENCE_S)
        while result is not None:
            events.append(self._event(result))
            result = self._manager.get_result(timeout=0)
        if not events and not self._manager.is_running():
            raise HarnessError("raised", f"transformers' generation ended: {self._fatal()}")
        return events

    def _event(self, result: Any) -> Event:
        key = int(result.request_id)
        if result.error:
            raise HarnessError("raised", f"transformers' generation failed: {result.error}")
        if result.is_finished():
            self._open.discard(key)
        return Event(key, list(result.generated_tokens), result.is_finished())

    def _fatal(self) -> str:
        return str(getattr(self._manager.background_thread_status, "fatal_error", None) or "for no stated reason")

    def execution(self) -> Execution:
        """Read from the parameters; the manager keeps its scores to itself."""
        where = str(next(self._model.module.parameters()).device)
        return loading.execution(self._config, self._model, where, "transformers' continuous batching")


def _stop_at_the_end(manager: Any) -> None:
    threading.main_thread().join()
    manager.stop(block=False)
