"""Secrets on their way through a run: which values are secret, and how they stay out of files.

A secret reaches the code that needs it through the process environment and nothing else. What identifies a step is
that a secret was given, not which: a renewed token makes nothing anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .redact import REDACTED, names_secret, recognised, scrub

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Censor", "cleanse", "holds_secret", "is_secret", "masked", "secrets_of", "without"]

_SHORTEST_RECOGNISED = 6
_SHORTEST_TELLING = 13
# `CM_TOKEN_PATH`, `CM_GOOGLE_AUTH_VERSION` are about secrets without being any
_KEYS = tuple(f"{kind}{gap}key" for kind in ("api", "access", "private", "secret") for gap in ("", "_"))
_ABOUT = ("version", "path", "paths", "dir", "file", "folder", "tags", "name", "key", "url")


def masked(key: str, value: Any) -> Any:
    """The value as it may be written down."""
    if isinstance(value, str):
        return _masked_text(key, value)
    return scrub(value) if isinstance(value, (list, dict)) else value


@lru_cache(maxsize=4096)
def _masked_text(key: str, value: str) -> str:
    if _names_a_secret(key):
        return str(scrub(value, key))
    return value if len(value) < _SHORTEST_TELLING else str(scrub(value))


@lru_cache(maxsize=4096)
def _names_a_secret(key: str) -> bool:
    return names_secret(key) and not _is_about(key)


def _is_about(key: str) -> bool:
    about = key.startswith("+") or key.lower().endswith(_ABOUT)
    return about and not key.lower().endswith(_KEYS)


def is_secret(key: str, value: Any) -> bool:
    """May this value not be written down as it is?"""
    return bool(masked(key, value) != value)


def holds_secret(key: str, value: Any, secrets: Iterable[str]) -> bool:
    """Is the value a secret, or is one of these a part of it?"""
    return is_secret(key, value) or (isinstance(value, str) and any(secret in value for secret in secrets))


def secrets_of(values: Mapping[str, Any]) -> frozenset[str]:
    """The texts to look for in what is written: values secret by their keys or look, long enough to be recognised."""
    found: set[str] = set()
    for key, value in values.items():
        if isinstance(value, str) and is_secret(key, value):
            found |= {value} if masked(key, value) == REDACTED else recognised(value)
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_RECOGNISED)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with these secrets, and all that look like one, redacted."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return str(scrub(text))


def cleanse(path: Path, secrets: Iterable[str]) -> None:
    """Redact secrets in a file that has been written without regard to them."""
    before = path.read_bytes()
    censor = Censor(secrets)
    after = censor.feed(before) + censor.rest()
    if after != before:
        path.write_bytes(after)


class Censor:
    """Redacts secrets in a stream of bytes; what may be the beginning of one waits for the next piece."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((s.encode("utf-8", "surrogateescape") for s in secrets), key=len, reverse=True)
        self._kept = b""

    def feed(self, piece: bytes) -> bytes:
        text = self._kept + piece
        for secret in self._secrets:
            text = text.replace(secret, REDACTED.encode())
        split = len(text) - max((_overlap(text, secret) for secret in self._secrets), default=0)
        self._kept = text[split:]
        return text[:split]

    def rest(self) -> bytes:
        """What was held back when the stream ended."""
        kept, self._kept = self._kept, b""
        return kept


def _overlap(text: bytes, secret: bytes) -> int:
    """Length of the longest end of `text` with which `secret` begins."""
    return next((n for n in range(min(len(secret) - 1, len(text)), 0, -1) if text.endswith(secret[:n])), 0)
