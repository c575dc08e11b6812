"""Delta debugging: the smallest part of a difference that still shows the effect (Zeller & Hildebrandt, 2002)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ddmin(items: Sequence[T], shows: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """A 1-minimal part: it shows the effect, and without any single item of it does not.

    Args:
        items: all of them together show the effect, none of them does not; that is the caller's to know.
        shows: the test. It is asked at most once for the same part.
    """
    known: dict[tuple[int, ...], bool] = {}

    def ask(part: tuple[int, ...]) -> bool:
        if part not in known:
            known[part] = shows(tuple(items[at] for at in part))
        return known[part]

    part, pieces = tuple(range(len(items))), 2
    while len(part) > 1:
        smaller = _step(part, pieces, ask)
        if smaller is not None:
            pieces = 2 if len(smaller) < len(part) / pieces + 1 else max(pieces - 1, 2)
            part = smaller
        elif pieces >= len(part):
            break
        else:
            pieces = min(2 * pieces, len(part))
    return tuple(items[at] for at in part)


def _step(part: tuple[int, ...], pieces: int, ask: Callable[[tuple[int, ...]], bool]) -> tuple[int, ...] | None:
    """A piece that shows the effect alone, else the rest without a piece; None if neither does."""
    cuts = [len(part) * at // pieces for at in range(pieces + 1)]
    chunks = [part[begin:end] for begin, end in itertools.pairwise(cuts) if begin < end]
    for chunk in chunks:
        if len(chunk) < len(part) and ask(chunk):
            return chunk
    for chunk in chunks:
        rest = tuple(at for at in part if at not in chunk)
        if rest and len(rest) < len(part) and ask(rest):
            return rest
    return None
