"""Whole answers outside a run."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from harness.engines.base import Engine
from harness.tasks.base import Prompt

_TOKENS = 4


def shortened(prompt: Prompt, copies: int) -> list[Prompt]:
    """The prompt, several times, with a few new tokens only: enough for both kinds of step and a real batch."""
    few = min(prompt.max_new_tokens, _TOKENS)
    short = msgspec.structs.replace(prompt, max_new_tokens=few, min_new_tokens=min(prompt.min_new_tokens, few))
    return [short] * copies


def answer(engine: Engine, prompts: Sequence[Prompt]) -> list[list[int]]:
    """Drive an idle engine until every prompt has its response; returns the tokens in the prompts' order."""
    waiting = list(enumerate(prompts))[::-1]
    answers: dict[int, list[int]] = {}
    while len(answers) < len(prompts):
        while waiting and engine.room > 0:
            engine.add(*waiting.pop())
        for event in engine.step():
            if event.done:
                answers[event.key] = event.tokens
    return [answers[key] for key in range(len(prompts))]
