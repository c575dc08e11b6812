"""Whisper on PyTorch: clips are encoded in batches and transcribed in step. Untested on GPU hardware.

All clips of a group have the same prompt, so that their tokens stand at the same places and one cache serves them all.
Clips that are done leave the group, and the cache's rows with them; the next group starts when the last one is done.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines import loading
from harness.engines.base import Event, GenerationModel
from harness.engines.decoding import Chooser
from harness.engines.requests import Request
from harness.engines.warmup import answer
from harness.tasks.base import Prompt
from speech_recognition.spectrogram import WhisperSpectrogram


class WhisperEngine:
    """Greedy transcription; `RunConfig.batch_size` clips make a group."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._model: GenerationModel
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []  # in the order of the cache's rows
        self._cache: Any = None
        self._encoded: Any = None
        self._output_device = ""

    def load(self) -> dict[str, Any]:
        """Build the model on the device."""
        self._model, self._device = loading.load(self._config)
        module = self._model.module
        self._dtype = next(module.parameters()).dtype
        self._choose = Chooser(self._model, self._config.model.seed)
        self._spectrogram = WhisperSpectrogram(module.config.num_mel_bins, self._device)
        return loading.facts(self._config, self._model)

    @property
    def room(self) -> int:
        """A whole group may wait while another runs."""
        return self._config.batch_size - len(self._waiting)

    def warm_up(self, prompt: Prompt) -> None:
        """Transcribe a group of copies of the clip."""
        answer(self, [prompt] * self._config.batch_size)

    def add(self, key: int, prompt: Prompt) -> None:
        """Take in a clip."""
        self._waiting.append(Request(key, prompt))

    def step(self) -> list[Event]:
        """Encode the next group and find its first tokens, or make one token for each running clip."""
        import torch

        with torch.inference_mode():
            if self._running:
                return self._decode([[request.tokens[-1]] for request in self._running])
            return self._encode() if self._waiting else []

    def execution(self) -> Execution:
        """Read from the parameters and from the device of the last scores."""
        return loading.execution(self._config, self._model, self._output_device, "groups of clips, key-value cache")

    def _encode(self) -> list[Event]:
        from transformers import DynamicCache, EncoderDecoderCache

        first = self._waiting[0].prompt.tokens
        while self._waiting and len(self._running) < self._config.batch_size:
            if self._waiting[0].prompt.tokens != first:
                break
            self._running.append(self._waiting.popleft())
        features = self._spectrogram([request.prompt.features for request in self._running])
        self._encoded = self._model.module.model.encoder(features.to(self._dtype)).last_hidden_state
        self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        return self._decode([list(first)] * len(self._running))

    def _decode(self, ids: list[list[int]]) -> list[Event]:
        import torch

        output = self._model.module.model.decoder(
            input_ids=torch.tensor(ids, device=self._device),
            encoder_hidden_states=self._encoded,
            past_key_values=self._cache,
            use_cache=True,
        )
        scores = self._model.module.proj_out(output.last_hidden_state[:, -1])
        self._output_device = str(scores.device)
        early = [row for row, request in enumerate(self._running) if request.must_go_on]
        tokens = self._choose(scores, early)
        events = [
            request.take(token, self._model.eos_ids) for request, token in zip(self._running, tokens, strict=True)
        ]
        self._leave()
        return events

    def _leave(self) -> None:
        """Drop the rows of finished clips, so that nothing is computed for them."""
        import torch

        staying = [row for row, request in enumerate(self._running) if not request.done]
        if not staying:
            self._running, self._cache, self._encoded = [], None, None
        elif len(staying) < len(self._running):
            rows = torch.tensor(staying, device=self._device)
            self._cache.batch_select_indices(rows)
            self._encoded = self._encoded[rows]
            self._running = [self._running[row] for row in staying]
