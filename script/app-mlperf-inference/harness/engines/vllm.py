"""The engine of `--backend=vllm`. Untested on hardware: vLLM needs a GPU; its tests run against a stand-in."""

from __future__ import annotations

import importlib
from typing import Any

from harness import registry
from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines.base import Event
from harness.engines.warmup import answer, shortened
from harness.errors import HarnessError
from harness.tasks.base import Prompt

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class VllmEngine:
    """vLLM's LLMEngine, stepped by the harness; `batch_size` is its largest number of running sequences."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._engine: Any = None
        self._vllm: Any = None
        self._temperature = 0.0
        self._open = 0

    def load(self) -> dict[str, Any]:
        """Start vLLM on the checkpoint.

        Raises:
            HarnessError: kind `config` without vLLM, without a checkpoint or for beam search, `weights` when vLLM
                cannot load it.
        """
        model = self._config.model
        self._vllm = _require_vllm()
        architecture = registry.resolve("architecture", model.architecture)
        self._temperature = getattr(architecture, "temperature", 0.0)
        if getattr(architecture, "beams", 1) > 1:
            raise HarnessError("config", "the engine vllm has no beam search here", "use --backend=pytorch")
        if not model.weights or self._config.precision not in _DTYPES:
            raise HarnessError("config", "vllm needs a checkpoint and fp32, bf16 or fp16", "use --backend=pytorch")
        arguments = self._vllm.EngineArgs(
            model=model.weights,
            dtype=_DTYPES[self._config.precision],
            max_num_seqs=self._config.batch_size,
            seed=model.seed,
        )
        try:
            self._engine = self._vllm.LLMEngine.from_engine_args(arguments)
        except (OSError, ValueError, RuntimeError) as error:
            raise HarnessError("weights", f"vLLM cannot load {model.weights}: {error}") from error
        return {"name": model.name, "architecture": "vllm", "weights": model.weights, "temperature": self._temperature}

    @property
    def room(self) -> int:
        """Requests that may be handed over now."""
        return self._config.batch_size - self._open

    def warm_up(self, prompt: Prompt) -> None:
        """Answer two copies of the prompt with a few tokens."""
        answer(self, shortened(prompt, min(2, self._config.batch_size)))

    def add(self, key: int, prompt: Prompt) -> None:
        """Hand a request over."""
        self._open += 1
        limits = self._vllm.SamplingParams(
            temperature=self._temperature,
            max_tokens=prompt.max_new_tokens,
            min_tokens=prompt.min_new_tokens,
            seed=self._config.model.seed,
        )
        tokens = self._vllm.TokensPrompt(prompt_token_ids=list(prompt.tokens))
        self._engine.add_request(str(key), tokens, limits)

    def step(self) -> list[Event]:
        """One step of vLLM's scheduler."""
        events = [
            Event(int(output.request_id), list(output.outputs[0].token_ids), output.finished)
            for output in self._engine.step()
        ]
        self._open -= sum(event.done for event in events)
        return events

    def execution(self) -> Execution:
        """What vLLM says of itself; its workers hold the weights."""
        return Execution(
            used=self._config.device,
            executed=f"vllm {self._vllm.__version__}",
            precision=self._config.precision,
            residency="device",
            threads=1,
        )


def _require_vllm() -> Any:
    try:
        return importlib.import_module("vllm")
    except ImportError as error:
        raise HarnessError(
            "config", f"vLLM is not installed: {error}", "pip install vllm, on a machine with an NVIDIA GPU"
        ) from error
