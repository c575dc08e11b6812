"""A request inside an engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.engines.base import Event
from harness.tasks.base import Prompt


@dataclass
class Request:
    """A prompt and its tokens so far."""

    key: int
    prompt: Prompt
    tokens: list[int] = field(default_factory=list)
    done: bool = False

    @property
    def must_go_on(self) -> bool:
        """The next token may not be an ending."""
        return len(self.tokens) < self.prompt.min_new_tokens

    def take(self, token: int, endings: frozenset[int]) -> Event:
        """Append a token; the response is done with an ending token or when it is as long as allowed."""
        self.tokens.append(token)
        self.done = token in endings or len(self.tokens) >= self.prompt.max_new_tokens
        return Event(self.key, self.tokens, self.done)
