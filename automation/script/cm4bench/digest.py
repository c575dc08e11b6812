"""Short names made of contents: identities of steps, indexes, entries."""

from __future__ import annotations

try:
    # What hashlib.blake2b is; but hashlib loads OpenSSL first, which costs every command 3 ms.
    from _blake2 import blake2b
except ImportError:  # a Python built without it
    from hashlib import blake2b

__all__ = ["digest"]

_BYTES = 16


def digest(text: str) -> str:
    """32 hex digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()
