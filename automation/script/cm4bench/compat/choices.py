"""Asking the user to choose, where there is a user: only a terminal is ever asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..catalog import Selection

__all__ = ["choose", "choose_script"]


def choose_script(selection: Selection, request: str) -> int:
    """Which of several scripts that match a request; 0 is the one that is taken where nobody can be asked."""
    scripts = (selection.script, *selection.others)
    options = [f"{s.alias}: {s.raw.get('name') or ', '.join(s.tags)} ({s.path})" for s in scripts]
    return choose(f"{len(scripts)} scripts match {request}", options)


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
