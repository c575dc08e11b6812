"""What a user or a dependency asks for: plain tags, `_variations`, and `-exclusions` of both."""

from __future__ import annotations

from .errors import Conflict
from .values import NamedTuple

__all__ = ["Query", "is_uid", "parse_query", "parse_tags"]


class Query(NamedTuple):
    """A parsed tag query; order of variations is kept because CM applies them in that order.

    `folder` is set where the request named one script, not tags.
    """

    tags: tuple[str, ...] = ()
    excluded_tags: tuple[str, ...] = ()
    variations: tuple[str, ...] = ()
    excluded_variations: tuple[str, ...] = ()
    folder: str = ""

    def __str__(self) -> str:
        words = [*self.tags, *(f"-{t}" for t in self.excluded_tags)]
        words += [*(f"_{v}" for v in self.variations), *(f"-_{v}" for v in self.excluded_variations)]
        return ",".join(words)


def is_uid(text: str) -> bool:
    """Is it a CM identifier: 16 hex digits?"""
    return len(text) == 16 and all(c in "0123456789abcdef" for c in text)


def parse_query(text: str) -> Query:
    """`parse_tags`, where spaces count as commas: the form that people type."""
    return parse_tags(text.replace(" ", ","))


def parse_tags(text: str) -> Query:
    """Split `get,ml-model,-raw,_fp32,-_int8`; repeats are dropped, spaces inside a word belong to it.

    Raises:
        Conflict: the same tag or variation is both asked for and excluded.
    """
    tags: dict[str, None] = {}
    excluded: dict[str, None] = {}
    variations: dict[str, None] = {}
    excluded_variations: dict[str, None] = {}
    for word in text.split(","):
        word = word.strip()
        if word.startswith(("-_", "_-")):
            excluded_variations[word[2:]] = None
        elif word.startswith("_") and len(word) > 1:
            variations[word[1:]] = None
        elif word.startswith("-"):
            excluded[word[1:]] = None
        elif word:
            tags[word] = None
    _refuse_contradictions("tag", tags, excluded)
    _refuse_contradictions("variation", variations, excluded_variations)
    return Query(tuple(tags), tuple(excluded), tuple(variations), tuple(excluded_variations))


def _refuse_contradictions(what: str, wanted: dict[str, None], excluded: dict[str, None]) -> None:
    both = [word for word in wanted if word in excluded]
    if both:
        raise Conflict(
            f"{what} {both[0]!r} is both asked for and excluded",
            hint=f"drop either {both[0]!r} or its exclusion from the tags",
        )
