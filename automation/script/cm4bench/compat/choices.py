"""Asking the user to choose, where there is a user: only a terminal is ever asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["choose"]


def choose(question: str, options: Sequence[str]) -> int:
    """The number of the chosen option; 0 (the first) without a terminal, on an empty or an impossible answer."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return 0
    print(f"{question}:", file=sys.stderr)
    for number, option in enumerate(options):
        print(f"  {number}) {option}", file=sys.stderr)
    print("number, or Enter for 0: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    return int(answer) if answer.isdigit() and int(answer) < len(options) else 0
