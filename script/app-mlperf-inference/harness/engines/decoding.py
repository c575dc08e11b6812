"""From the model's scores to the next token of each request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.engines.base import GenerationModel
from harness.errors import HarnessError


class Chooser:
    """Greedy choice, or a seeded draw where the benchmark asks for a temperature."""

    def __init__(self, model: GenerationModel, seed: int) -> None:
        import torch

        self._endings = sorted(model.eos_ids)
        self._temperature = model.temperature
        self._generator = torch.Generator(device=next(model.module.parameters()).device)
        self._generator.manual_seed(seed)

    def __call__(self, scores: Any, unfinished: Sequence[int]) -> list[int]:
        """One token per row of `scores` (n, vocabulary).

        Args:
            scores: logits; overwritten where an ending is forbidden.
            unfinished: rows that must not end yet (`Prompt.min_new_tokens`).

        Raises:
            HarnessError: kind `nan` when a row's best score is not a finite number.
        """
        if unfinished and self._endings:
            rows = scores.new_tensor(unfinished, dtype=int)[:, None]
            scores[rows, scores.new_tensor(self._endings, dtype=int)] = -float("inf")
        best, tokens = scores.max(dim=-1)
        if not best.isfinite().all():
            raise HarnessError(
                "nan",
                "the model's scores are not finite numbers",
                "check the weights; with --precision=fp16 or int8 try bf16 or fp32",
            )
        if self._temperature > 0:
            tokens = self._draw(scores)
        chosen: list[int] = tokens.tolist()
        return chosen

    def _draw(self, scores: Any) -> Any:
        """Sample from softmax(scores / temperature): the largest of the scores plus Gumbel noise is such a sample."""
        import torch

        uniform = torch.rand(scores.shape, device=scores.device, generator=self._generator).clamp_min(1e-20)
        return (scores.float() / self._temperature - (-uniform.log()).log()).argmax(dim=-1)
