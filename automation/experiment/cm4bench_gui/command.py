"""From choices in a form to the exact command line. Pure text, so that what is shown is what a shell would run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z0-9 ._,:=+/@%-]*")


@dataclass(frozen=True)
class Choice:
    """What was chosen for one script: ``variations`` without their underscore, ``options`` by name, never empty."""

    tags: tuple[str, ...]
    variations: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> str:
        """Tags and variations as the engine takes them."""
        return ",".join(self.words)

    @property
    def words(self) -> tuple[str, ...]:
        """Tags, then variations as they are typed."""
        return (*self.tags, *(f"_{name}" for name in self.variations))


def command_line(choice: Choice) -> str:
    """The command for a POSIX shell: it reads every character back as it was chosen."""
    options = [f"--{name}={value}" for name, value in choice.options.items()]
    return " ".join(["cmr", _quoted(_spoken(choice)), *(shlex.quote(option) for option in options)])


def _spoken(choice: Choice) -> str:
    """Words with spaces between them; commas where a word holds a space itself."""
    words = choice.words
    return (" " if not any(" " in word for word in words) else ",").join(words)


def _quoted(text: str) -> str:
    return f'"{text}"' if _PLAIN.fullmatch(text) else shlex.quote(text)
