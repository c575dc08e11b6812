"""Continuous batching: requests join and leave the batch at every step.

A step either reads the prompts of a few waiting requests or makes one token for every running one. Prompts go first:
they fill the batch, and a full batch is what makes decoding fast, since a step reads all weights however many rows it
has. The running requests' keys and values live in a `SlotCache`.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.engines.base import Event, GenerationModel
from harness.engines.decoding import Chooser
from harness.engines.requests import Request
from harness.engines.slots import SlotCache
from harness.tasks.base import Prompt

# Positions (rows x longest prompt) read in one prompt step: enough to keep the device busy, few enough that running
# requests do not wait long for their next token.
_PROMPT_POSITIONS = {"cpu": 512, "cuda": 8192}
_MOST_PADDING = 1.25  # longest over shortest prompt of one prompt step


class ContinuousBatch:
    """Up to `slots` running requests."""

    def __init__(self, model: GenerationModel, device: Any, slots: int, seed: int) -> None:
        self._model, self._device, self._slots = model, device, slots
        self._choose = Chooser(model, seed)
        self._cache = SlotCache(slots)
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []  # in the order of the cache's rows
        self._mask = MaskForm(model.module)
        self.output_device: Any = None

    @property
    def room(self) -> int:
        """Free slots."""
        return self._slots - len(self._waiting) - len(self._running)

    def add(self, key: int, prompt: Prompt) -> None:
        """Queue a prompt."""
        self._waiting.append(Request(key, prompt))

    def step(self) -> list[Event]:
        """Read prompts if any wait, else make a token for each running request."""
        import torch

        with torch.inference_mode():
            if self._waiting:
                return self._read_prompts(self._next_prompts())
            return self._decode() if self._running else []

    def _next_prompts(self) -> list[Request]:
        """Waiting requests, in order, as long as they fit together; at least one."""
        chosen: list[Request] = []
        shortest = longest = 0
        limit = _PROMPT_POSITIONS[self._device.type]
        while self._waiting:
            length = len(self._waiting[0].prompt.tokens)
            shortest, longest = min(shortest or length, length), max(longest, length)
            if chosen and ((len(chosen) + 1) * longest > limit or longest > _MOST_PADDING * shortest):
                break
            chosen.append(self._waiting.popleft())
        return chosen

    def _read_prompts(self, requests: list[Request]) -> list[Event]:
        """Prefill. Rows are padded on the right: what comes later never reaches the tokens before it."""
        import torch
        from transformers import DynamicCache

        lengths = [len(request.prompt.tokens) for request in requests]
        ids = torch.full((len(requests), max(lengths)), self._model.pad_id)
        for row, request in enumerate(requests):
            ids[row, : lengths[row]] = torch.tensor(request.prompt.tokens)
        cache: Any = DynamicCache()
        last = sorted({length - 1 for length in lengths})
        output = self._model.module(
            input_ids=ids.to(self._device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=torch.tensor(last, device=self._device),
        )
        scores = output.logits[range(len(requests)), [last.index(length - 1) for length in lengths]]
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        self._cache.admit(layers, lengths)
        self._running += requests
        return self._answer(requests, scores)

    def _decode(self) -> list[Event]:
        import torch

        positions, visible = self._cache.begin_step(self._device)
        ids = torch.tensor([[request.tokens[-1]] for request in self._running], device=self._device)
        output = self._model.module(
            input_ids=ids,
            position_ids=positions,
            attention_mask=self._mask(visible, positions),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache.end_step()
        return self._answer(self._running, output.logits[:, -1])

    def _answer(self, requests: list[Request], scores: Any) -> list[Event]:
        self.output_device = scores.device
        unfinished = [row for row, request in enumerate(requests) if request.must_go_on]
        tokens = self._choose(scores, unfinished)
        events = [request.take(token, self._model.eos_ids) for request, token in zip(requests, tokens, strict=True)]
        self._leave()
        return events

    def _leave(self) -> None:
        """Free the slots of what is done, from the back, so that a row that moves is one that stays."""
        for row in range(len(self._running) - 1, -1, -1):
            if self._running[row].done:
                self._cache.release(row)
                self._running[row] = self._running[-1]
                self._running.pop()


class MaskForm:
    """Which positions a row sees, in the form that the model's attention takes."""

    def __init__(self, module: Any) -> None:
        config = module.config
        self._booleans = config._attn_implementation == "sdpa"
        self._dtype = next(module.parameters()).dtype
        self._window = getattr(config, "sliding_window", None)
        self._kinds = set(getattr(config, "layer_types", None) or ())

    def __call__(self, visible: Any, positions: Any) -> Any:
        """A mask (n, 1, 1, width), or one per kind of layer for models that mix full and sliding attention."""
        if self._kinds <= {"full_attention"}:
            windowed = self._narrow(visible, positions) if self._window and not self._kinds else visible
            return self._form(windowed)
        return {
            kind: self._form(self._narrow(visible, positions) if kind == "sliding_attention" else visible)
            for kind in self._kinds
        }

    def _narrow(self, visible: Any, positions: Any) -> Any:
        """Only the last `sliding_window` positions, the row's own included."""
        import torch

        columns = torch.arange(visible.shape[-1], device=visible.device)
        return visible & (columns > positions[:, :, None, None] - self._window)

    def _form(self, visible: Any) -> Any:
        if self._booleans:
            return visible
        import torch

        hidden = torch.finfo(self._dtype).min
        return torch.zeros_like(visible, dtype=self._dtype).masked_fill(~visible, hidden)
