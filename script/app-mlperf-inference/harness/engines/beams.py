"""Beam search over whole batches, for the benchmarks that ask for it (GPT-J: 4 beams).

transformers' own search does the work: its hypotheses and their scores are what the reference quality was measured
with. A step answers one batch to its end, so the first tokens arrive with the last.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.engines.base import Event, GenerationModel
from harness.engines.requests import Request
from harness.tasks.base import Prompt


class BeamSearch:
    """Up to `slots` waiting requests, answered together where their limits are the same."""

    def __init__(self, model: GenerationModel, device: Any, slots: int, seed: int) -> None:
        self._model, self._device, self._slots = model, device, slots
        self._waiting: deque[Request] = deque()
        self.output_device: Any = None

    @property
    def room(self) -> int:
        """Places in the next batch."""
        return self._slots - len(self._waiting)

    def add(self, key: int, prompt: Prompt) -> None:
        """Queue a prompt."""
        self._waiting.append(Request(key, prompt))

    def step(self) -> list[Event]:
        """Answer the waiting requests that share the first one's limits on new tokens."""
        if not self._waiting:
            return []
        limits = _limits(self._waiting[0])
        batch = [request for request in self._waiting if _limits(request) == limits]
        self._waiting = deque(request for request in self._waiting if _limits(request) != limits)
        rows = self._search(batch)
        return [Event(request.key, self._cut(row), True) for request, row in zip(batch, rows, strict=True)]

    def _search(self, batch: list[Request]) -> list[list[int]]:
        import torch

        width = max(len(request.prompt.tokens) for request in batch)
        ids = torch.full((len(batch), width), self._model.pad_id)
        mask = torch.zeros_like(ids)
        for row, request in enumerate(batch):
            start = width - len(request.prompt.tokens)
            ids[row, start:], mask[row, start:] = torch.tensor(request.prompt.tokens), 1
        fewest, most = _limits(batch[0])
        with torch.inference_mode():
            found = self._model.module.generate(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                num_beams=self._model.beams,
                early_stopping=True,
                do_sample=False,
                min_new_tokens=fewest,
                max_new_tokens=most,
                eos_token_id=sorted(self._model.eos_ids) or None,
                pad_token_id=self._model.pad_id,
            )
        self.output_device = found.device
        rows: list[list[int]] = found[:, width:].tolist()
        return rows

    def _cut(self, row: list[int]) -> list[int]:
        """The response up to its ending; after that the row is padding."""
        end = next((place for place, token in enumerate(row) if token in self._model.eos_ids), len(row))
        return row[: end + 1]


def _limits(request: Request) -> tuple[int, int]:
    return request.prompt.min_new_tokens, request.prompt.max_new_tokens
